import { parseTime } from '#kernel';
import { findDuration } from './duration.ts';

const shapes: readonly (readonly [RegExp, (text: string) => string])[] = [
  [/^\d{4}-\d\d-\d\d$/, (text) => `${text}T00:00:00`],
  [/^\d{4}-\d\d-\d\dT\d\d$/, (text) => `${text}:00:00`],
  [/^\d{4}-\d\d-\d\dT\d\d:\d\d$/, (text) => `${text}:00`],
];

/**
 * What engines take as a time: seconds since the epoch with nanoseconds, from a date and time, a span before now
 * (`42m`), or such seconds themselves. Undefined for an empty text. Throws Docker's text.
 */
export function timestamp(text: string, now: number, option?: string): string | undefined {
  if (text === '') return undefined;
  const span = findDuration(text);
  if (span !== undefined && !/^\d+$/.test(text)) return seconds(BigInt(Math.trunc(now)) * 1_000_000n - span);
  if (/^-?\d+(\.\d+)?$/.test(text)) return text;
  const zone = /(Z|[+-]\d\d:\d\d)$/.exec(text)?.[0];
  const local = zone === undefined ? text : text.slice(0, -zone.length);
  const whole = shapes.reduce(
    (shaped, [pattern, complete]) => (pattern.test(shaped) ? complete(shaped) : shaped),
    local,
  );
  try {
    return seconds(parseTime(whole + (zone ?? localZone(whole))));
  } catch (error) {
    const prefix = option === undefined ? '' : `invalid value for ${JSON.stringify(option)}: `;
    throw new Error(`${prefix}failed to parse value as time or duration: ${JSON.stringify(text)}`, {
      cause: error,
    });
  }
}

/** A time without a zone is meant in this machine's. */
function localZone(text: string): string {
  const offset = -new Date(text).getTimezoneOffset();
  if (Number.isNaN(offset) || offset === 0) return 'Z';
  const span = Math.abs(offset);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(Math.trunc(span / 60))}:${two(span % 60)}`;
}

const seconds = (nanos: bigint): string =>
  `${nanos / 1_000_000_000n}.${(nanos % 1_000_000_000n).toString().padStart(9, '0')}`;
