import type { ServerHttp2Stream } from 'node:http2';
import { Code, ConnectError } from '@connectrpc/connect';
import { framed, MessageBuffer } from '#filesync';

/** Values by name, in small letters, as often as they came. */
export type Metadata = ReadonlyMap<string, readonly string[]>;

/** One bidirectional gRPC call that the engine makes: the answering side of what `GrpcStream` asks. */
export class IncomingCall {
  readonly metadata: Metadata;
  readonly #stream: ServerHttp2Stream;
  #trailers: Record<string, string> = { 'grpc-status': '0' };

  constructor(stream: ServerHttp2Stream, headers: readonly string[]) {
    this.#stream = stream;
    this.metadata = metadataOf(headers);
    // The engine sees the call end; here it shows in the next reading or writing.
    stream.on('error', () => undefined);
    stream.on('wantTrailers', () => stream.sendTrailers(this.#trailers));
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
  }

  /** The first value under a name. */
  value(name: string): string | undefined {
    return this.metadata.get(name)?.[0];
  }

  /** What the engine sends, until it ends its side. The call stands when the loop is left. */
  async *messages(): AsyncGenerator<Uint8Array, void> {
    const pending = new MessageBuffer();
    // By itself, reading a stream to its end would also end what is written.
    const chunks = this.#stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
    for await (const chunk of chunks) {
      pending.push(chunk);
      for (let message = pending.next(); message; message = pending.next()) yield message;
    }
  }

  async send(message: Uint8Array): Promise<void> {
    await this.sendFramed(framed(message));
  }

  /** Messages with their prefixes. Resolves once they are accepted (backpressure). */
  async sendFramed(frames: Uint8Array): Promise<void> {
    if (this.#stream.destroyed) throw new ConnectError('the engine has ended the call', Code.Canceled);
    if (this.#stream.write(frames)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#stream.off('drain', done).off('close', done);
        resolve();
      };
      this.#stream.on('drain', done).on('close', done);
    });
  }

  /** Ends the call: well, or with an error. The first end counts. */
  end(error?: unknown): void {
    if (this.#stream.writableEnded) return;
    if (error !== undefined) {
      const failure = ConnectError.from(error);
      this.#trailers = {
        'grpc-status': String(failure.code),
        'grpc-message': encodeURIComponent(failure.rawMessage),
      };
    }
    this.#stream.end();
  }
}

/** Pairs of names and values as they came over the wire. */
function metadataOf(headers: readonly string[]): Metadata {
  const values = new Map<string, string[]>();
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = (headers[at] ?? '').toLowerCase();
    values.set(name, [...(values.get(name) ?? []), headers[at + 1] ?? '']);
  }
  // What is not ASCII travels percent-encoded, and a second header says so (BuildKit's session/filesync).
  for (const [name, encoded] of values) {
    if (values.get(`${name}-encoded`)?.[0] === '1') values.set(name, encoded.map(decodeURIComponent));
  }
  return values;
}
