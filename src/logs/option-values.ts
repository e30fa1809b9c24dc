import { internal } from '#kernel';

const multiples = 'kmgtp';

/** `10m` → bytes, in powers of 1000 (what Docker takes for log files) or 1024. Throws in Docker's words. */
export function parseSize(text: string, base: 1000 | 1024): number {
  const match = /^(.*[0-9. ])([^0-9. ]*)$/.exec(text);
  const size = Number(match?.[1]?.trim() || NaN);
  if (!match || !(size >= 0)) throw internal(`invalid size: '${text}'`);
  const suffix = (match[2] ?? '').toLowerCase();
  if (suffix === '' || suffix === 'b') return Math.trunc(size);
  const power = multiples.indexOf(suffix.charAt(0)) + 1;
  if (power === 0 || !['', 'b', 'ib'].includes(suffix.slice(1))) {
    throw internal(`invalid suffix: '${match[2] ?? ''}'`);
  }
  return Math.trunc(size * base ** power);
}

/** As Go's strconv.Atoi. */
export function parseInteger(text: string): number {
  if (!/^[+-]?\d+$/.test(text))
    throw internal(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** As Go's strconv.ParseUint. */
export function parseUnsigned(text: string): number {
  if (!/^\d+$/.test(text))
    throw internal(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

const truths = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const lies = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

/** As Go's strconv.ParseBool. */
export function parseBoolean(text: string): boolean {
  if (truths.includes(text)) return true;
  if (lies.includes(text)) return false;
  throw internal(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 36e5,
};

/** As Go's time.ParseDuration; milliseconds. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  if (text === '0') return 0;
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw internal(`time: invalid duration ${JSON.stringify(text)}`);
  }
  return parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (units[unit] ?? 0), 0);
}
