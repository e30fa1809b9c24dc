import { ArgumentError } from '../eval/scope.ts';
import { fromInteger, isInteger, toInteger } from '../values/decimal.ts';
import type { Value } from '../values/value.ts';
import { decimalOf, numberValue, objectValue, stringValue, textOf } from '../values/value.ts';
import { parseGoDuration } from './go-duration.ts';
import type { Functions } from './define.ts';
import { any, define, number, text } from './define.ts';

/** A moment and how far its clock is from UTC's. */
interface Moment {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Minutes. */
  readonly offset: number;
}

const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Why a text is no timestamp. */
function problemOf(source: string): string {
  if (source === '') return 'end of string before year';
  if (!/^\d{4}/.test(source)) return `cannot use ${JSON.stringify(source)} as year`;
  if (/^\d{4}-\d\d-\d\d$/.test(source)) return "missing required time introducer 'T'";
  return `cannot use ${JSON.stringify(source)} as timestamp segment`;
}

function parseTimestamp(source: string): Moment {
  const fail = (why: string): Error => new Error(`not a valid RFC3339 timestamp: ${why}`);
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/.exec(
    source,
  );
  if (!match) throw fail(problemOf(source));
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  if (hour > 23) throw fail('hour must be between 0 and 23 inclusive');
  const parts = Date.UTC(year, month - 1, day, hour, minute, second);
  if (new Date(parts).getUTCMonth() !== month - 1 || minute > 59 || second > 59) throw fail('out of range');
  const sign = match[8] === '-' ? -1 : 1;
  const offset = sign * (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0));
  const millis = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  return { at: parts + millis - offset * 60_000, offset };
}

const two = (value: number): string => String(value).padStart(2, '0');

function zone({ offset }: Moment, colon: string): string {
  const minutes = Math.abs(offset);
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${colon}${two(minutes % 60)}`;
}

/** In its own time zone, to the second. */
function formatRfc3339(moment: Moment): string {
  const local = new Date(moment.at + moment.offset * 60_000).toISOString().slice(0, 19);
  return local + (moment.offset === 0 ? 'Z' : zone(moment, ':'));
}

/** What each verb becomes at each length; others are refused. */
function verb(token: string, moment: Moment): string | undefined {
  const local = new Date(moment.at + moment.offset * 60_000);
  const [year, month, hour] = [local.getUTCFullYear(), local.getUTCMonth(), local.getUTCHours()];
  const numbered = (letter: string, value: number): Record<string, string> => ({
    [letter]: String(value),
    [letter + letter]: two(value),
  });
  const known: Readonly<Record<string, string>> = {
    YY: two(year % 100),
    YYYY: String(year).padStart(4, '0'),
    ...numbered('M', month + 1),
    MMM: months[month]?.slice(0, 3) ?? '',
    MMMM: months[month] ?? '',
    ...numbered('D', local.getUTCDate()),
    EEE: days[local.getUTCDay()]?.slice(0, 3) ?? '',
    EEEE: days[local.getUTCDay()] ?? '',
    ...numbered('h', hour),
    ...numbered('H', hour % 12 || 12),
    AA: hour < 12 ? 'AM' : 'PM',
    aa: hour < 12 ? 'am' : 'pm',
    ...numbered('m', local.getUTCMinutes()),
    ...numbered('s', local.getUTCSeconds()),
    Z: moment.offset === 0 ? 'Z' : zone(moment, ':'),
    ZZZ: moment.offset === 0 ? 'UTC' : zone(moment, ''),
    ZZZZ: zone(moment, ''),
    ZZZZZ: zone(moment, ':'),
  };
  return known[token];
}

const hints: Readonly<Record<string, string>> = {
  Y: ': year must either be "YY" or "YYYY"',
  M: ': month must be "M", "MM", "MMM", or "MMMM"',
  D: ': day of month must either be "D" or "DD"',
  E: ': day of week must either be "EEE" or "EEEE"',
  h: ': 24-hour must either be "h" or "hh"',
  H: ': 12-hour must either be "H" or "HH"',
  A: ': must be "AA"',
  a: ': must be "aa"',
  m: ': minute must either be "m" or "mm"',
  s: ': second must either be "s" or "ss"',
  Z: ': timezone must be Z, ZZZZ, or ZZZZZ',
};

function formatDate(format: string, moment: Moment): string {
  return format.replace(/'(?:[^']|'')*'?|([a-zA-Z])\1*/g, (token) => {
    if (token.startsWith("'")) {
      if (token === "''") return "'";
      if (token.length === 1 || !token.endsWith("'") || /[^']('')+$/.test(token)) {
        throw new ArgumentError(0, "unterminated literal '");
      }
      return token.slice(1, -1).replaceAll("''", "'");
    }
    const found = verb(token, moment);
    if (found !== undefined) return found;
    throw new ArgumentError(
      0,
      `invalid date format verb ${JSON.stringify(token)}${hints[token.slice(0, 1)] ?? ''}`,
    );
  });
}

function timestampArgument(value: Value, index: number): Moment {
  try {
    return parseTimestamp(textOf(value));
  } catch (error) {
    throw new ArgumentError(index, error instanceof Error ? error.message : '');
  }
}

function unixMoment(value: Value, index: number): Moment {
  const seconds = decimalOf(value);
  if (!isInteger(seconds)) throw new ArgumentError(index, 'unix timestamp must be an integer');
  const at = Number(toInteger(seconds)) * 1000;
  if (Number.isNaN(new Date(at).getTime())) throw new ArgumentError(index, 'unix timestamp is out of range');
  return { at, offset: 0 };
}

const formattimestamp = define([text('format'), any('time')], (format, time) => {
  const { kind } = time.type;
  if (kind !== 'string' && kind !== 'number') {
    throw new ArgumentError(1, 'must be a string timestamp or a unix timestamp number');
  }
  const moment = kind === 'string' ? timestampArgument(time, 1) : unixMoment(time, 1);
  const seconds = String(Math.floor(moment.at / 1000));
  return stringValue(textOf(format) === 'X' ? seconds : formatDate(textOf(format), moment));
});

const unixtimestampparse = define([number('unix_timestamp')], (value) => {
  const moment = unixMoment(value, 0);
  const date = new Date(moment.at);
  const whole = (part: number): Value => numberValue(fromInteger(part));
  const year = date.getUTCFullYear();
  const dayOfYear = Math.floor(
    (Date.UTC(year, date.getUTCMonth(), date.getUTCDate()) - Date.UTC(year, 0, 1)) / 86_400_000,
  );
  const weekday = date.getUTCDay();
  // The week belongs to the year that its Thursday is in.
  const thursday = new Date(Date.UTC(year, date.getUTCMonth(), date.getUTCDate() - ((weekday + 6) % 7) + 3));
  const isoYear = thursday.getUTCFullYear();
  const isoWeek = Math.floor((thursday.getTime() - Date.UTC(isoYear, 0, 1)) / (7 * 86_400_000)) + 1;
  return objectValue([
    ['year', whole(year)],
    ['year_day', whole(dayOfYear + 1)],
    ['day', whole(date.getUTCDate())],
    ['month', whole(date.getUTCMonth() + 1)],
    ['month_name', stringValue(months[date.getUTCMonth()] ?? '')],
    ['weekday', whole(weekday)],
    ['weekday_name', stringValue(days[weekday] ?? '')],
    ['hour', whole(date.getUTCHours())],
    ['minute', whole(date.getUTCMinutes())],
    ['second', whole(date.getUTCSeconds())],
    ['rfc3339', stringValue(formatRfc3339(moment))],
    ['iso_year', whole(isoYear)],
    ['iso_week', whole(isoWeek)],
  ]);
});

/** Times; `now` is in milliseconds since the epoch. */
export const dateFunctions = (now: () => number): Functions => ({
  formatdate: define([text('format'), text('time')], (format, time) =>
    stringValue(formatDate(textOf(format), timestampArgument(time, 1))),
  ),
  formattimestamp,
  timeadd: define([text('timestamp'), text('duration')], (time, duration) => {
    const moment = parseTimestamp(textOf(time));
    return stringValue(formatRfc3339({ ...moment, at: moment.at + parseGoDuration(textOf(duration)) }));
  }),
  timestamp: define([], () => stringValue(formatRfc3339({ at: now(), offset: 0 }))),
  unixtimestampparse,
});
