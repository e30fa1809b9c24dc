import { once } from 'node:events';
import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import { Code, ConnectError } from '@connectrpc/connect';
import { framed, MessageBuffer } from '#filesync';

/**
 * One bidirectional gRPC call on a bare HTTP/2 stream, without compression: for transfers of many small messages, which
 * a general client moves at a quarter of the speed.
 */
export class GrpcStream {
  readonly #stream: ClientHttp2Stream;
  #answer: (IncomingHttpHeaders & IncomingHttpStatusHeader) | undefined;
  #trailers: IncomingHttpHeaders | undefined;

  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream;
    stream.on('response', (headers) => {
      this.#answer = headers;
      if (headers['grpc-status'] !== undefined) this.#trailers = headers;
    });
    stream.on('trailers', (trailers) => {
      this.#trailers = trailers;
    });
  }

  /** The bytes that the peer sends, messages with their prefixes. Throws ConnectError with the status of the call. */
  async *bytes(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* this.#stream as AsyncIterable<Uint8Array>;
    } catch (error) {
      this.#checkStatus(error instanceof Error ? error.message : String(error));
    }
    this.#checkStatus('the client closed the call');
  }

  async *messages(): AsyncGenerator<Uint8Array, void> {
    const pending = new MessageBuffer();
    for await (const chunk of this.bytes()) {
      pending.push(chunk);
      for (let message = pending.next(); message; message = pending.next()) yield message;
    }
  }

  async send(message: Uint8Array): Promise<void> {
    await this.sendFramed(framed(message));
  }

  /** Messages with their prefixes. Resolves once they are accepted (backpressure). */
  async sendFramed(frames: Uint8Array): Promise<void> {
    if (!this.#stream.write(frames)) await once(this.#stream, 'drain');
  }

  /** No more messages from here. */
  end(): void {
    this.#stream.end();
  }

  cancel(): void {
    this.#stream.close();
  }

  #checkStatus(otherwise: string): void {
    const status = this.#trailers?.['grpc-status'];
    if (status === '0') return;
    if (status === undefined) {
      const http = this.#answer?.[':status'] ?? 200;
      throw new ConnectError(http === 200 ? otherwise : `HTTP status ${http}`, Code.Unavailable);
    }
    const message = this.#trailers?.['grpc-message'];
    throw new ConnectError(typeof message === 'string' ? percentDecoded(message) : '', codeOf(status));
  }
}

const codeOf = (status: string | string[]): Code =>
  Object.values(Code).find((code): code is Code => String(code) === status) ?? Code.Unknown;

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
