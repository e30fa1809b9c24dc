import { parseAmount, type DiskRules } from '#disk';
import { invalidArgument } from '#kernel';
import type { SettingsReader } from './settings-reader.ts';

const gigabyte = 1e9;
const nanos: Readonly<Record<string, bigint>> = {
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
};

/** The collector's and the bin's settings. Throws invalidArgument. */
export function diskSettings(read: SettingsReader): DiskRules {
  const low = read.text('gcLowSpace');
  const high = read.text('gcHighSpace');
  return {
    automatic: read.flag('gc', true),
    low: low === undefined ? { percent: 10, most: 20 * gigabyte } : parseAmount(low),
    high: high === undefined ? { percent: 15, most: 30 * gigabyte } : parseAmount(high),
    interval: Math.max(1000, Number(span('gc-interval', read.text('gcInterval') ?? '1m') / 1_000_000n)),
    minimumAge: span('gc-min-age', read.text('gcMinAge') ?? '10m'),
    tagged: read.flag('gcTagged', false),
    taggedPatterns: read.list('gcTaggedImages'),
    grace: span('bin-grace', read.text('binGrace') ?? '72h'),
  };
}

/** Nanoseconds of `72h`, `1h30m`, `0`. */
function span(name: string, text: string): bigint {
  if (text === '0') return 0n;
  if (!/^(?:\d+[smhd])+$/.test(text)) {
    throw invalidArgument(`invalid ${name} ${JSON.stringify(text)}: use for example 72h, 30m or 0`);
  }
  return [...text.matchAll(/(\d+)([smhd])/g)].reduce(
    (sum, [, count = '0', unit = 's']) => sum + BigInt(count) * (nanos[unit] ?? 0n),
    0n,
  );
}
