import type { BuildHistoryRecord } from '#buildkit';
import { invalidArgument } from '#kernel';
import { commaFields } from '../dockerfile/comma-fields.ts';
import { parseDuration } from '../dockerfile/go-text.ts';

type Test = (record: BuildHistoryRecord) => boolean;

/**
 * Whether a record fits one of the filters; each is conditions separated by commas. `now` in milliseconds: times may be
 * given as how long ago they are. Throws invalidArgument.
 */
export function historyFilter(filters: readonly string[], now: number): Test {
  const tests = filters.map((filter) => {
    const conditions = commaFields(filter, 'history filter').map((text) => conditionOf(text, now));
    return (record: BuildHistoryRecord) => conditions.every((condition) => condition(record));
  });
  return (record) => tests.length === 0 || tests.some((test) => test(record));
}

type Words = (record: BuildHistoryRecord) => string;
type Numbers = (record: BuildHistoryRecord) => number;

const words: Readonly<Record<string, Words>> = {
  ref: ({ ref }) => ref,
  status: ({ error, completedAt }) => {
    if (!completedAt) return 'running';
    // gRPC's CANCELLED
    return error ? (error.code === 1 ? 'canceled' : 'error') : 'completed';
  },
  repository: ({ frontendAttrs }) => frontendAttrs['vcs:source'] ?? frontendAttrs['context'] ?? '',
};

const milliseconds = (time: BuildHistoryRecord['createdAt']): number =>
  time ? Number(time.seconds) * 1000 + time.nanos / 1e6 : Infinity;

const times: Readonly<Record<string, Numbers>> = {
  startedAt: ({ createdAt }) => milliseconds(createdAt),
  createdAt: ({ createdAt }) => milliseconds(createdAt),
  completedAt: ({ completedAt }) => milliseconds(completedAt),
};

const durations: Readonly<Record<string, Numbers>> = {
  duration: ({ createdAt, completedAt }) => milliseconds(completedAt) - milliseconds(createdAt),
};

const comparisons: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  '>': (left, right) => left > right,
  '<': (left, right) => left < right,
  '>=': (left, right) => left >= right,
  '<=': (left, right) => left <= right,
};

const form = /^(\w+)(==|!=|~=|>=|<=|>|<|=)"?(.*?)"?$/;

function conditionOf(text: string, now: number): Test {
  const [, name = '', operator = '', value = ''] = form.exec(text.trim()) ?? [];
  const word = words[name];
  const test = word
    ? wordTest(word, operator, value)
    : numberTest(
        times[name] ?? durations[name],
        operator,
        times[name] ? timeOf(value, now) : durationOf(value),
      );
  if (!test) throw invalidArgument(`invalid history filter ${JSON.stringify(text)}`);
  return test;
}

function wordTest(word: Words, operator: string, value: string): Test | undefined {
  if (operator === '=' || operator === '==') return (record) => word(record) === value;
  if (operator === '!=') return (record) => word(record) !== value;
  if (operator !== '~=') return undefined;
  const pattern = patternOf(value);
  return (record) => pattern.test(word(record));
}

function numberTest(
  number: Numbers | undefined,
  operator: string,
  bound: number | undefined,
): Test | undefined {
  const compare = comparisons[operator];
  if (!compare || !number || bound === undefined) return undefined;
  return (record) => compare(number(record), bound);
}

function patternOf(value: string): RegExp {
  try {
    return new RegExp(value);
  } catch (error) {
    throw invalidArgument(`invalid pattern in history filter ${JSON.stringify(value)}`, error);
  }
}

function durationOf(value: string): number | undefined {
  const parsed = parseDuration(value);
  return 'problem' in parsed ? undefined : Number(parsed.nanoseconds) / 1e6;
}

function timeOf(value: string, now: number): number | undefined {
  const ago = durationOf(value);
  if (ago !== undefined) return now - ago;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}
