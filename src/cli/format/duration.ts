const unitNanos: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Reads Go's duration syntax (`1h30m`, `-1.5s`, `0`) into nanoseconds; undefined when it is none. */
export function findDuration(text: string): bigint | undefined {
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text);
  if (!match) return undefined;
  let nanos = 0n;
  for (const [, whole = '', fraction = '', unit = 's'] of (match[2] ?? '').matchAll(
    /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g,
  )) {
    const scale = unitNanos[unit] ?? 1n;
    nanos += BigInt(whole || '0') * scale;
    if (fraction !== '') nanos += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  }
  return match[1] === '-' ? -nanos : nanos;
}

/** As findDuration(), but throws Go's text. */
export function parseDuration(text: string): bigint {
  const nanos = findDuration(text);
  if (nanos !== undefined) return nanos;
  if (text === '') throw new Error('time: invalid duration ""');
  if (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)) throw new Error(`time: missing unit in duration "${text}"`);
  const unknown = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*(?:\d+\.?\d*|\.\d+)([^\d.]+)/.exec(
    text,
  );
  if (unknown?.[1]) throw new Error(`time: unknown unit "${unknown[1]}" in duration "${text}"`);
  throw new Error(`time: invalid duration "${text}"`);
}

/** Go's Duration.String(): `1h0m0s`, `1.5s`, `250ms`, `0s`. */
export function formatDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s';
  const sign = nanos < 0n ? '-' : '';
  const value = nanos < 0n ? -nanos : nanos;
  if (value < 1000n) return `${sign}${value}ns`;
  if (value < 1_000_000n) return `${sign}${fixed(value, 3)}µs`;
  if (value < 1_000_000_000n) return `${sign}${fixed(value, 6)}ms`;
  const seconds = fixed(value % 60_000_000_000n, 9);
  const minutes = value / 60_000_000_000n;
  if (minutes === 0n) return `${sign}${seconds}s`;
  const hours = minutes / 60n;
  return `${sign}${hours === 0n ? '' : `${hours}h`}${minutes % 60n}m${seconds}s`;
}

function fixed(value: bigint, places: number): string {
  const scale = 10n ** BigInt(places);
  const fraction = (value % scale).toString().padStart(places, '0').replace(/0+$/, '');
  return fraction === '' ? (value / scale).toString() : `${value / scale}.${fraction}`;
}
