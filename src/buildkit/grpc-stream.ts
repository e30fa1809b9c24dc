import { once } from 'node:events';
import {
  constants,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import { Code, ConnectError } from '@connectrpc/connect';
import { fromBinary } from '@bufbuild/protobuf';
import { framed, MessageBuffer } from '#filesync';
import { StatusSchema } from './generated/gateway_pb.js';

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
    // Shows in the next reading.
    stream.on('error', () => undefined);
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
    // On a connection inside another one the end is seen a tick before the trailers that brought it.
    if (!this.#trailers) await new Promise((resolve) => setImmediate(resolve));
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
    if (this.#stream.write(frames) || this.#stream.destroyed) return;
    // A stream that closes will never drain.
    const closed = new AbortController();
    const over = { signal: closed.signal };
    try {
      await Promise.race([once(this.#stream, 'drain', over), once(this.#stream, 'close', over)]);
    } finally {
      closed.abort();
    }
  }

  /** No more messages from here. */
  end(): void {
    this.#stream.end();
  }

  cancel(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #checkStatus(otherwise: string): void {
    const status = this.#trailers?.['grpc-status'];
    if (status === '0') return;
    if (status === undefined) {
      const http = this.#answer?.[':status'] ?? 200;
      throw new ConnectError(http === 200 ? otherwise : `HTTP status ${http}`, Code.Unavailable);
    }
    const message = this.#trailers?.['grpc-message'];
    const failure = new ConnectError(
      typeof message === 'string' ? percentDecoded(message) : '',
      codeOf(status),
    );
    const encoded = this.#trailers?.['grpc-status-details-bin'];
    if (typeof encoded === 'string') failure.details = detailsOf(encoded);
    for (const [name, value] of Object.entries(this.#trailers ?? {})) {
      if (name.startsWith('wharf-') && typeof value === 'string') failure.metadata.set(name, value);
    }
    throw failure;
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

/** What a status says beyond its message (google.rpc.Status in base64); nothing where it cannot be read. */
function detailsOf(encoded: string): ConnectError['details'] {
  try {
    const { details } = fromBinary(StatusSchema, Buffer.from(encoded, 'base64'));
    return details.map(({ typeUrl, value }) => ({ type: typeUrl.replace(/^.*\//, ''), value }));
  } catch {
    return [];
  }
}
