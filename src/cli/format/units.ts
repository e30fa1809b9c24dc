import { charWidth } from './display-width.ts';

const decimalUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'];

/** Go's `%.<digits>g`. */
export function formatGeneral(value: number, digits: number): string {
  if (value === 0) return '0';
  const exponent = Number(value.toExponential(digits - 1).split('e')[1]);
  if (exponent < -4 || exponent >= digits) {
    const [mantissa = '', power = ''] = value.toExponential(digits - 1).split('e');
    const sign = power.startsWith('-') ? '-' : '+';
    return `${trimZeros(mantissa)}e${sign}${power.replace(/^[+-]/, '').padStart(2, '0')}`;
  }
  return trimZeros(value.toFixed(Math.max(0, digits - 1 - exponent)));
}

const trimZeros = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

function scale(bytes: number, base: number, units: readonly string[], digits: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  return formatGeneral(value, digits) + (units[unit] ?? '');
}

/** Bytes in powers of 1000: `1.98MB`. Docker's lists show 3 digits, other places 4. */
export const decimalSize = (bytes: number, digits = 4): string => scale(bytes, 1000, decimalUnits, digits);

/** Bytes in powers of 1024: `1.5GiB`. */
export const binarySize = (bytes: number): string => scale(bytes, 1024, binaryUnits, 4);

/** A span of time in the words of docker ps: `About a minute`. */
export function spanInWords(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(milliseconds / 60_000);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(milliseconds / 3_600_000 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(hours / 24 / 365)} years`;
}

const sizePowers: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5 };

/** Reads `512m`, `1.5g`, `64KiB`, `10`: bytes, in powers of 1024. Throws Docker's `invalid size: '…'`. */
export function parseBinarySize(text: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+) ?([kmgtp])?i?b?$/i.exec(text);
  if (!match?.[1]) throw new Error(`invalid size: '${text}'`);
  const power = sizePowers[(match[2] ?? '').toLowerCase()] ?? 0;
  return Math.trunc(Number(match[1]) * 1024 ** power);
}

/** Cuts at `width` cells, wide characters counting two, and ends in `…`. */
export function ellipsis(text: string, width: number): string {
  if (width <= 0) return '';
  const chars = Array.from(text);
  if (width === 1) return text.length <= 1 ? text : (chars[0] ?? '');
  let used = 0;
  let kept = '';
  let fitting = '';
  for (const char of chars) {
    used += charWidth(char);
    if (used <= width - 1) fitting += char;
    kept += char;
  }
  return used <= width ? kept : `${fitting}…`;
}
