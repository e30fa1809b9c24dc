/** Where the time comes from; injected, so that tests decide. */
export interface Clock {
  /** Nanoseconds since the epoch. */
  now(): bigint;
}

let origin = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
let last = 0n;

/** The host's clock, with nanoseconds that never repeat within the process; follows steps of the wall clock. */
export const systemClock: Clock = {
  now() {
    const wall = BigInt(Date.now()) * 1_000_000n;
    let now = origin + process.hrtime.bigint();
    const drift = now - wall;
    // Never behind the time that a client reads off the same host, which may ask for events since then.
    if (drift < 0n || drift > 2_000_000n) {
      origin -= drift;
      now = wall;
    }
    last = now > last ? now : last + 1n;
    return last;
  },
};

/** Go's zero time, which Docker shows where something never happened. */
export const zeroTime = '0001-01-01T00:00:00Z';

/** RFC 3339 with nanoseconds, trailing zeros trimmed as Go does. `nanos` since the epoch. */
export function formatTime(nanos: bigint): string {
  const seconds = new Date(Number(nanos / 1_000_000n)).toISOString().slice(0, 19);
  const fraction = (nanos % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  return fraction === '' ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

/** Nanoseconds since the epoch of an RFC 3339 time with up to nine fractional digits. Throws RangeError on rubbish. */
export function parseTime(text: string): bigint {
  const match = /^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  const millis =
    match?.[1] && match[3] ? Date.parse(match[1].replace(' ', 'T') + match[3].toUpperCase()) : NaN;
  if (Number.isNaN(millis)) throw new RangeError(`invalid time ${JSON.stringify(text)}`);
  return BigInt(millis) * 1_000_000n + BigInt((match?.[2] ?? '').padEnd(9, '0'));
}
