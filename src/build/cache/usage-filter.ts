import { invalidArgument } from '#kernel';
import type { CacheUsage } from './cache-usage.ts';

type Test = (record: CacheUsage) => boolean;

const texts: Readonly<Record<string, (record: CacheUsage) => string>> = {
  id: ({ id }) => id,
  parents: ({ parents }) => parents.join(';'),
  parent: ({ parents }) => parents.join(';'),
  description: ({ description }) => description,
  type: ({ kind }) => kind,
};
const flags: Readonly<Record<string, Test>> = {
  inuse: ({ inUse }) => inUse,
  shared: ({ isShared }) => isShared,
  private: ({ isShared }) => !isShared,
  mutable: ({ isMutable }) => isMutable,
  immutable: ({ isMutable }) => !isMutable,
};

/**
 * What BuildKit's clients ask for: each text has conditions separated by commas, `type==regular,id~=^ab,shared`, and a
 * record is meant that fits all of one text. No texts, or empty ones, mean every record. Throws invalidArgument.
 */
export function parseUsageFilter(filters: readonly string[]): Test {
  const alternatives = filters
    .map((filter) => filter.trim())
    .filter((filter) => filter !== '')
    .map((filter) => filter.split(',').map(parseCondition));
  if (alternatives.length === 0) return () => true;
  return (record) => alternatives.some((tests) => tests.every((test) => test(record)));
}

function parseCondition(condition: string): Test {
  const [, name = '', operator, value = ''] =
    /^\s*([a-z]+)\s*(?:(==|!=|~=)\s*(.*?))?\s*$/.exec(condition) ?? [];
  const flag = flags[name];
  if (flag) return flagTest(flag, operator, unquoted(value), condition);
  if (name === '') throw invalidArgument(`failed to parse filter ${JSON.stringify(condition)}`);
  // No record has other fields.
  const text = texts[name] ?? ((): string => '');
  return textTest(text, operator, unquoted(value), condition);
}

function flagTest(flag: Test, operator: string | undefined, value: string, condition: string): Test {
  if (operator === undefined) return flag;
  const wanted = /^(?:1|t|true)$/i.test(value);
  if (operator === '~=' || (!wanted && !/^(?:0|f|false)$/i.test(value))) {
    throw invalidArgument(`failed to parse filter ${JSON.stringify(condition)}: use true or false`);
  }
  return (record) => flag(record) === (operator === '==' ? wanted : !wanted);
}

function textTest(
  text: (record: CacheUsage) => string,
  operator: string | undefined,
  value: string,
  condition: string,
): Test {
  switch (operator) {
    case '==':
      return (record) => text(record) === value;
    case '!=':
      return (record) => text(record) !== value;
    case '~=': {
      const pattern = patternOf(value, condition);
      return (record) => pattern.test(text(record));
    }
    default:
      return (record) => text(record) !== '';
  }
}

function patternOf(value: string, condition: string): RegExp {
  try {
    return new RegExp(value);
  } catch (error) {
    throw invalidArgument(`failed to parse filter ${JSON.stringify(condition)}: no pattern`, error);
  }
}

const unquoted = (value: string): string => /^"(.*)"$/.exec(value)?.[1] ?? value;
