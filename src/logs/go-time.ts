import { formatTime } from '#kernel';

/** A time as Go prints it by default: `2026-11-22 02:53:48.214970328 +0000 UTC`. */
export const goTime = (nanos: bigint): string =>
  `${formatTime(nanos).replace('T', ' ').replace('Z', '')} +0000 UTC`;

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number): string => value.toString().padStart(2, '0');

/** `Nov  2 02:49:16`, local time, as syslog has it (RFC 3164, 4.1.2). */
export function stampTime(nanos: bigint): string {
  const date = new Date(Number(nanos / 1_000_000n));
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${months[date.getMonth()] ?? ''} ${date.getDate().toString().padStart(2)} ${clock}`;
}

/** RFC 3339 in UTC with so many fractional digits (0, 6 or 9). */
export function fixedTime(nanos: bigint, digits: number): string {
  const seconds = new Date(Number(nanos / 1_000_000n)).toISOString().slice(0, 19);
  if (digits === 0) return `${seconds}Z`;
  return `${seconds}.${(nanos % 1_000_000_000n).toString().padStart(9, '0').slice(0, digits)}Z`;
}
