import { Code, ConnectError } from '@connectrpc/connect';

const headerSize = 5;

/** Cuts a stream of bytes into gRPC messages (gRPC over HTTP/2, Length-Prefixed-Message). */
export class MessageBuffer {
  readonly #limit: number;
  #bytes: Uint8Array = new Uint8Array();

  /** `limit`: bytes of the largest message that is taken. */
  constructor(limit = 16 * 1024 * 1024) {
    this.#limit = limit;
  }

  push(chunk: Uint8Array): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** The next whole message, valid until the buffer of its chunk is. Throws ConnectError. */
  next(): Uint8Array | undefined {
    const bytes = this.#bytes;
    if (bytes.length < headerSize) return undefined;
    if (bytes[0] !== 0) throw new ConnectError('a compressed message was not agreed on', Code.Internal);
    const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
    if (size > this.#limit) {
      throw new ConnectError(`a message of ${size} bytes is too large`, Code.ResourceExhausted);
    }
    const end = headerSize + size;
    if (bytes.length < end) return undefined;
    this.#bytes = bytes.subarray(end);
    return bytes.subarray(headerSize, end);
  }
}

/** A message with its prefix. */
export function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(headerSize + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, headerSize);
  return frame;
}
