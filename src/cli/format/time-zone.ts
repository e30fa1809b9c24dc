import { readFileSync } from 'node:fs';

/** The abbreviation of the local zone at a time, as Go prints it: from the zone's TZif file (RFC 8536). */
export function zoneName(milliseconds: number, offsetMinutes: number): string {
  if (process.env['TZ'] === 'UTC' || process.env['TZ'] === '') return 'UTC';
  const file = process.env['TZ']
    ? `/usr/share/zoneinfo/${process.env['TZ'].replace(/^:/, '')}`
    : '/etc/localtime';
  try {
    return (
      find(readFileSync(file), Math.trunc(milliseconds / 1000), offsetMinutes * 60) ?? plain(offsetMinutes)
    );
  } catch {
    return plain(offsetMinutes);
  }
}

const plain = (offsetMinutes: number): string => {
  if (offsetMinutes === 0) return 'UTC';
  const span = Math.abs(offsetMinutes);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offsetMinutes < 0 ? '-' : '+'}${two(Math.trunc(span / 60))}${span % 60 === 0 ? '' : two(span % 60)}`;
};

/** The name of the type of the last transition before `seconds`; of any type with the offset after the table's end. */
function find(file: Buffer, seconds: number, offset: number): string | undefined {
  const counts = (at: number): number[] =>
    Array.from({ length: 6 }, (_, n) => file.readUInt32BE(at + 20 + n * 4));
  const [isUt = 0, isStd = 0, leaps = 0, times = 0, types = 0, chars = 0] = counts(0);
  // The second block, with 64-bit times, follows the first.
  const second = 44 + times * 5 + types * 6 + chars + leaps * 8 + isStd + isUt;
  const [, , , times64 = 0, types64 = 0, chars64 = 0] = counts(second);
  const start = second + 44;
  const typesAt = start + times64 * 9;
  const names = file.subarray(typesAt + types64 * 6, typesAt + types64 * 6 + chars64);
  const nameOf = (type: number): string => {
    const from = file.readUInt8(typesAt + type * 6 + 5);
    return names.toString('latin1', from, names.indexOf(0, from));
  };
  const candidates = Array.from({ length: times64 }, (_, at) => at).filter(
    (at) => file.readBigInt64BE(start + at * 8) <= BigInt(seconds),
  );
  const order = [
    ...candidates.reverse().map((at) => file.readUInt8(start + times64 * 8 + at)),
    ...Array(types64).keys(),
  ];
  const type = order.find((candidate) => file.readInt32BE(typesAt + candidate * 6) === offset);
  return type === undefined ? undefined : nameOf(type);
}
