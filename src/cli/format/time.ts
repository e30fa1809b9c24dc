import { spanInWords } from './units.ts';
import { zoneName } from './time-zone.ts';

/** `5 seconds ago`, from milliseconds since the epoch. */
export const ago = (then: number, now: number): string => `${spanInWords(now - then)} ago`;

const two = (value: number): string => String(value).padStart(2, '0');

/** Go's Time.String() in local time: `2026-11-21 23:22:16 +0000 UTC`; `fraction` are digits below the second. */
export function goTime(milliseconds: number, fraction = ''): string {
  const date = new Date(milliseconds);
  const offset = -date.getTimezoneOffset();
  const sign = offset < 0 ? '-' : '+';
  const zone = `${sign}${two(Math.trunc(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const digits = fraction.replace(/0+$/, '');
  return `${day} ${time}${digits === '' ? '' : `.${digits}`} ${zone} ${zoneName(milliseconds, offset)}`;
}

/** RFC 3339 in local time, seconds: `2026-11-21T23:22:16Z`. */
export function localRfc3339(milliseconds: number): string {
  const date = new Date(milliseconds);
  const offset = -date.getTimezoneOffset();
  const shifted = new Date(milliseconds + offset * 60_000).toISOString().slice(0, 19);
  if (offset === 0) return `${shifted}Z`;
  const span = Math.abs(offset);
  return `${shifted}${offset < 0 ? '-' : '+'}${two(Math.trunc(span / 60))}:${two(span % 60)}`;
}
