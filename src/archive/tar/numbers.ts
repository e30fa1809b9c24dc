import { invalidArgument } from '#kernel';

const badNumber = (field: Uint8Array): Error =>
  invalidArgument(`invalid tar header: bad number ${JSON.stringify(Buffer.from(field).toString('latin1'))}`);

/** GNU's base-256 form: a set top bit, then a big-endian two's complement number. */
function parseBinary(field: Uint8Array): number {
  const negative = ((field[0] ?? 0) & 0x40) !== 0;
  let value = BigInt((field[0] ?? 0) & 0x3f);
  for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
  if (negative) value -= 1n << BigInt(field.length * 8 - 2);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw badNumber(field);
  return number;
}

/** A numeric field of a header: octal text within spaces and NULs, or base-256. */
export function parseNumber(field: Uint8Array): number {
  if (((field[0] ?? 0) & 0x80) !== 0) return parseBinary(field);
  let at = 0;
  while (at < field.length && (field[at] === 0x20 || field[at] === 0)) at += 1;
  let value = 0;
  for (; at < field.length; at += 1) {
    const byte = field[at] ?? 0;
    if (byte === 0x20 || byte === 0) break;
    if (byte < 0x30 || byte > 0x37) throw badNumber(field);
    value = value * 8 + (byte - 0x30);
  }
  return value;
}

/** Whether `value` fits as octal text in a field of `length` bytes with a NUL at its end. */
export const fitsOctal = (value: number, length: number): boolean => value >= 0 && value < 8 ** (length - 1);

/** Writes octal text with leading zeros and a NUL; a value that does not fit (PAX carries it) becomes 0. */
export function writeOctal(block: Buffer, at: number, length: number, value: number): void {
  const shown = fitsOctal(value, length) ? value : 0;
  block.write(`${shown.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
}

const second = 1_000_000_000n;

/** PAX's decimal seconds as nanoseconds, rounded down where there are digits beyond the ninth, as GNU tar does. */
export function parsePaxTime(text: string): bigint {
  const match = /^(-?)(\d{1,18})(?:\.(\d*))?$/.exec(text);
  if (!match) throw invalidArgument(`invalid tar header: bad time ${JSON.stringify(text)}`);
  const fraction = match[3] ?? '';
  const nanos = BigInt(match[2] ?? '0') * second + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  if (match[1] !== '-') return nanos;
  return /[1-9]/.test(fraction.slice(9)) ? -nanos - 1n : -nanos;
}

export function formatPaxTime(nanos: bigint): string {
  const magnitude = nanos < 0n ? -nanos : nanos;
  const fraction = (magnitude % second).toString().padStart(9, '0').replace(/0+$/, '');
  return `${nanos < 0n ? '-' : ''}${magnitude / second}${fraction && `.${fraction}`}`;
}

/** A PAX or sparse-map number: decimal, never negative. */
export function parseDecimal(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) {
    throw invalidArgument(`invalid tar header: bad number ${JSON.stringify(text)}`);
  }
  return value;
}
