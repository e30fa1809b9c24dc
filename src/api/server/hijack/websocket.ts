import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { invalidArgument } from '#kernel';

/** RFC 6455 section 1.3 */
const keySuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Longer frames are refused: input comes in small ones. */
const maxPayload = 16 * 1024 * 1024;

/** The head of the answer that accepts a WebSocket. Throws invalidArgument when the request asks for none. */
export function acceptWebSocket(request: IncomingMessage): string {
  const key = request.headers['sec-websocket-key'];
  if (request.headers.upgrade?.toLowerCase() !== 'websocket' || key === undefined) {
    throw invalidArgument('not websocket protocol');
  }
  if (request.headers['sec-websocket-version'] !== '13') {
    throw invalidArgument('missing or bad WebSocket Version');
  }
  const accept = createHash('sha1').update(`${key}${keySuffix}`).digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/**
 * The server's side of a WebSocket as bytes: what is written becomes binary frames, the payloads of text and binary
 * frames are read. The client's close frame is the end of reading; end() sends ours.
 */
export class WebSocketStream extends Duplex {
  readonly #socket: Duplex;
  readonly #opcode: number;
  #buffer: Buffer = Buffer.alloc(0);

  /** `kind`: of the frames that are written. */
  constructor(socket: Duplex, kind: 'text' | 'binary' = 'binary') {
    super();
    this.#socket = socket;
    this.#opcode = opcodes[kind];
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => this.push(null));
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(
    chunk: Uint8Array,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    this.#socket.write(encodeFrame(this.#opcode, chunk), (error) => callback(error));
  }

  override _final(callback: () => void): void {
    // 1000: a normal end
    this.#socket.end(encodeFrame(opcodes.close, Uint8Array.of(0x03, 0xe8)), () => callback());
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#socket.destroy();
    callback(error);
  }

  #take(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const frame = decodeFrame(this.#buffer);
      if (frame === 'invalid') {
        this.destroy();
        return;
      }
      if (!frame) return;
      this.#buffer = this.#buffer.subarray(frame.length);
      this.#handle(frame.opcode, frame.payload);
    }
  }

  #handle(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.ping) this.#socket.write(encodeFrame(opcodes.pong, payload));
    else if (opcode === opcodes.close) this.push(null);
    else if (opcode !== opcodes.pong && payload.length > 0 && !this.push(payload)) this.#socket.pause();
  }
}

/** An unmasked frame that is whole, as servers send them. */
function encodeFrame(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (length < 126) head[1] = length;
  else if (length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  /** Bytes of the whole frame. */
  readonly length: number;
}

/** The first frame, undefined while it is not all there. */
function decodeFrame(data: Buffer): Frame | 'invalid' | undefined {
  if (data.length < 2) return undefined;
  const size = data.readUInt8(1) & 0x7f;
  const lengthBytes = size < 126 ? 0 : size === 126 ? 2 : 8;
  const head = 2 + lengthBytes + 4;
  // Clients mask every frame (section 5.1).
  if (data.readUInt8(1) < 0x80) return 'invalid';
  if (data.length < head) return undefined;
  const length =
    lengthBytes === 0 ? size : lengthBytes === 2 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2));
  if (length > maxPayload) return 'invalid';
  if (data.length < head + length) return undefined;
  const mask = data.subarray(head - 4, head);
  const payload = Buffer.from(data.subarray(head, head + length));
  for (const [index, byte] of payload.entries()) payload[index] = byte ^ (mask[index % 4] ?? 0);
  return { opcode: data.readUInt8(0) & 0x0f, payload, length: head + length };
}
