/** Flags of nlmsghdr (netlink(7)). */
export const NLM_F = { request: 1, ack: 4, replace: 0x100, dump: 0x300, excl: 0x200, create: 0x400 } as const;

const headerLength = 16;
const align = (length: number): number => (length + 3) & ~3;

/**
 * Writes one netlink message: header, a family-specific fixed part, then attributes (type, length, value, padded to
 * four bytes). Integers are in host order, which is little-endian on every platform Node is built for here.
 */
export class NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  #buffer = Buffer.alloc(512);
  #length = headerLength;

  constructor(type: number, flags: number, fixed: Uint8Array) {
    this.type = type;
    this.flags = flags;
    this.#append(fixed);
  }

  bytes(attribute: number, value: Uint8Array): this {
    const header = Buffer.alloc(4);
    header.writeUInt16LE(4 + value.length, 0);
    header.writeUInt16LE(attribute, 2);
    this.#append(header);
    this.#append(value);
    return this;
  }

  /** NUL-terminated, as the kernel wants names. */
  string(attribute: number, value: string): this {
    return this.bytes(attribute, Buffer.from(`${value}\0`));
  }

  u8(attribute: number, value: number): this {
    return this.bytes(attribute, Uint8Array.of(value));
  }

  u32(attribute: number, value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return this.bytes(attribute, bytes);
  }

  /** An attribute that holds attributes; `fixed` goes before them (VETH_INFO_PEER has an ifinfomsg there). */
  nest(attribute: number, body: (message: this) => void, fixed: Uint8Array = new Uint8Array()): this {
    const start = this.#length;
    this.#append(Buffer.alloc(4));
    this.#append(fixed);
    body(this);
    this.#buffer.writeUInt16LE(this.#length - start, start);
    this.#buffer.writeUInt16LE(attribute, start + 2);
    return this;
  }

  /** The finished bytes, with the header filled in. */
  encode(sequence: number): Buffer {
    this.#buffer.writeUInt32LE(this.#length, 0);
    this.#buffer.writeUInt16LE(this.type, 4);
    this.#buffer.writeUInt16LE(this.flags | NLM_F.request, 6);
    this.#buffer.writeUInt32LE(sequence, 8);
    this.#buffer.writeUInt32LE(0, 12);
    return this.#buffer.subarray(0, this.#length);
  }

  #append(bytes: Uint8Array): void {
    const end = align(this.#length + bytes.length);
    if (end > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(end, this.#buffer.length * 2));
      this.#buffer.copy(grown);
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = end;
  }
}

/** The attributes after a message's fixed part; of repeated ones the last wins. Nested ones are parsed again by the reader. */
export function parseAttributes(bytes: Buffer): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  let offset = 0;
  while (offset + 4 <= bytes.length) {
    const length = bytes.readUInt16LE(offset);
    if (length < 4 || offset + length > bytes.length) break;
    // The top two bits are NLA_F_NESTED and NLA_F_NET_BYTEORDER.
    attributes.set(bytes.readUInt16LE(offset + 2) & 0x3fff, bytes.subarray(offset + 4, offset + length));
    offset += align(length);
  }
  return attributes;
}

export interface Received {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** Splits what one recv(2) brought. */
export function* splitMessages(bytes: Buffer): Generator<Received> {
  let offset = 0;
  while (offset + headerLength <= bytes.length) {
    const length = bytes.readUInt32LE(offset);
    if (length < headerLength || offset + length > bytes.length) return;
    yield {
      type: bytes.readUInt16LE(offset + 4),
      flags: bytes.readUInt16LE(offset + 6),
      sequence: bytes.readUInt32LE(offset + 8),
      payload: bytes.subarray(offset + headerLength, offset + length),
    };
    offset += align(length);
  }
}

/** The text of a NUL-terminated attribute. */
export const attributeText = (bytes: Buffer): string => bytes.toString('utf8').replace(/\0.*$/s, '');
