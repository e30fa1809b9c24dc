/** The few MessagePack types that the forward protocol of fluentd needs. */
export type PackValue =
  string | Buffer | PackedTime | { readonly [name: string]: PackValue } | readonly PackValue[];

/** Seconds as an integer or, with nanoseconds, fluentd's EventTime (extension type 0). */
export interface PackedTime {
  readonly time: bigint;
  readonly subSecond: boolean;
}

const isTime = (value: object): value is PackedTime =>
  'subSecond' in value && typeof value.subSecond === 'boolean';

export function pack(value: PackValue): Buffer {
  const parts: Buffer[] = [];
  append(value, parts);
  return Buffer.concat(parts);
}

function append(value: PackValue, parts: Buffer[]): void {
  if (typeof value === 'string') appendText(Buffer.from(value), parts);
  else if (Buffer.isBuffer(value)) appendText(value, parts);
  else if (Array.isArray(value)) {
    const items = value as readonly PackValue[];
    parts.push(head(items.length, 0x90, 0xdc));
    for (const item of items) append(item, parts);
  } else if (isTime(value)) appendTime(value, parts);
  else {
    const entries = Object.entries(value as Readonly<Record<string, PackValue>>);
    parts.push(head(entries.length, 0x80, 0xde));
    for (const [name, entry] of entries) {
      append(name, parts);
      append(entry, parts);
    }
  }
}

function head(length: number, fixed: number, long: number): Buffer {
  return length < 16 ? Buffer.of(fixed | length) : Buffer.of(long, length >> 8, length & 0xff);
}

function appendText(bytes: Buffer, parts: Buffer[]): void {
  const { length } = bytes;
  if (length < 32) parts.push(Buffer.of(0xa0 | length));
  else if (length < 256) parts.push(Buffer.of(0xd9, length));
  else if (length < 65536) parts.push(Buffer.of(0xda, length >> 8, length & 0xff));
  else {
    const long = Buffer.alloc(5, 0xdb);
    long.writeUInt32BE(length, 1);
    parts.push(long);
  }
  parts.push(bytes);
}

function appendTime({ time, subSecond }: PackedTime, parts: Buffer[]): void {
  const seconds = Number(time / 1_000_000_000n);
  const bytes = Buffer.alloc(subSecond ? 10 : 5);
  if (subSecond) {
    bytes.writeUInt16BE(0xd700, 0);
    bytes.writeUInt32BE(seconds, 2);
    bytes.writeUInt32BE(Number(time % 1_000_000_000n), 6);
  } else {
    bytes[0] = 0xd2;
    bytes.writeInt32BE(seconds, 1);
  }
  parts.push(bytes);
}
