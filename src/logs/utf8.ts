/** Length of the well-formed UTF-8 sequence at `start` (Unicode 15, table 3-7), 0 when it is none or cut off. */
export function sequenceLength(bytes: Uint8Array, start: number): number {
  const lead = bytes[start] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || start + length > bytes.length) return 0;
  const second = bytes[start + 1] ?? 0;
  const [least, most] = secondBytes.get(lead) ?? [0x80, 0xbf];
  if (second < least || second > most) return 0;
  for (let index = start + 2; index < start + length; index += 1) {
    if (((bytes[index] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** Lead bytes after which only part of the continuation bytes is well-formed. */
const secondBytes: ReadonlyMap<number, readonly [least: number, most: number]> = new Map([
  [0xe0, [0xa0, 0xbf]],
  [0xed, [0x80, 0x9f]],
  [0xf0, [0x90, 0xbf]],
  [0xf4, [0x80, 0x8f]],
]);

const replacement = Uint8Array.of(0xef, 0xbf, 0xbd);

/** The bytes with every byte that belongs to no well-formed sequence replaced by U+FFFD, one for one as Go does. */
export function toValidUtf8(bytes: Uint8Array): Buffer {
  const parts: Uint8Array[] = [];
  let kept = 0;
  for (let index = 0; index < bytes.length;) {
    const length = sequenceLength(bytes, index);
    if (length > 0) {
      index += length;
      continue;
    }
    parts.push(bytes.subarray(kept, index), replacement);
    index += 1;
    kept = index;
  }
  return Buffer.concat([...parts, bytes.subarray(kept)]);
}

/** The largest cut ≤ `limit` that does not fall inside a well-formed sequence. */
export function characterBoundary(bytes: Uint8Array, limit: number): number {
  for (let start = limit - 1; start >= 0 && start >= limit - 3; start -= 1) {
    if (((bytes[start] ?? 0) & 0xc0) === 0x80) continue;
    return start + sequenceLength(bytes, start) > limit ? start : limit;
  }
  return limit;
}
