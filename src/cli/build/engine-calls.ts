import { connect, type ClientHttp2Session } from 'node:http2';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { GrpcStream } from '#buildkit';
import type { EngineClient } from '#client';
import { ConnectionDuplex } from './connection-duplex.ts';

export interface CallOptions {
  readonly signal: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A connection on which an engine answers BuildKit's calls (`POST /grpc`). Calls throw ConnectError. */
export class EngineCalls implements Disposable {
  readonly #http2: ClientHttp2Session;

  private constructor(stream: ConnectionDuplex) {
    this.#http2 = connect('http://engine', {
      createConnection: () => stream,
      settings: { initialWindowSize: 4 * 1024 * 1024 },
    });
    // Each call fails with the reason.
    this.#http2.on('error', () => undefined);
  }

  /** Throws the engine's error, or that of the client where there is no engine. */
  static async open(engine: EngineClient): Promise<EngineCalls> {
    const { connection } = await engine.hijack({
      ...{ method: 'POST', path: '/grpc', headers: { Upgrade: 'h2c' } },
    });
    return new EngineCalls(new ConnectionDuplex(connection));
  }

  async call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): Promise<MessageShape<O>> {
    let answer: MessageShape<O> | undefined;
    for await (const message of this.#exchange(method, request, options)) answer ??= message;
    if (!answer) throw new ConnectError('the engine has not answered', Code.Internal);
    return answer;
  }

  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): AsyncGenerator<MessageShape<O>, void> {
    return this.#exchange(method, request, options);
  }

  [Symbol.dispose](): void {
    this.#http2.destroy();
  }

  async *#exchange<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O> | DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    { signal, headers = {} }: CallOptions,
  ): AsyncGenerator<MessageShape<O>, void> {
    signal.throwIfAborted();
    const stream = new GrpcStream(
      this.#http2.request({
        ...headers,
        ':method': 'POST',
        ':path': `/${method.parent.typeName}/${method.name}`,
        'content-type': 'application/grpc+proto',
        te: 'trailers',
      }),
    );
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      // What goes wrong with the sending shows in the answer.
      void stream.send(toBinary(method.input, create(method.input, request))).catch(() => undefined);
      stream.end();
      // Read from the first moment on: an answer may come and be over at once.
      for await (const message of stream.messages()) yield fromBinary(method.output, message);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }
}
