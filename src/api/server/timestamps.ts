import { invalidArgument, parseTime } from '#kernel';

const nanosPerUnit: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Nanoseconds of a Go duration (`1h30m`, `-1.5s`), undefined for other text. */
export function parseDuration(text: string): bigint | undefined {
  const match = /^([+-]?)((?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+)$/.exec(text);
  if (!match?.[2]) return undefined;
  let nanos = 0n;
  for (const [, number, unit] of match[2].matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    nanos += BigInt(Math.round(Number(number) * (nanosPerUnit[unit ?? ''] ?? 0)));
  }
  return match[1] === '-' ? -nanos : nanos;
}

/**
 * Nanoseconds since the epoch of the filter `until`: a Go duration before `now`, seconds since the epoch, a date, or
 * a time (RFC 3339, the zone may be missing: UTC). Throws invalidArgument.
 */
export function parseUntil(text: string, now: bigint): bigint {
  const duration = parseDuration(text);
  if (duration !== undefined) return now - duration;
  const seconds = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (seconds?.[1]) return BigInt(seconds[1]) * 1_000_000_000n + BigInt((seconds[2] ?? '').padEnd(9, '0'));
  const full = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : text;
  try {
    return parseTime(/(?:[Zz]|[+-]\d\d:\d\d)$/.test(full) ? full : `${full}Z`);
  } catch (error) {
    throw invalidArgument(`failed to parse value as time or duration: ${JSON.stringify(text)}`, error);
  }
}
