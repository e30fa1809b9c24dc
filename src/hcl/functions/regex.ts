import { ArgumentError } from '../eval/scope.ts';
import type { Value } from '../values/value.ts';
import {
  listValue,
  nullOf,
  objectValue,
  stringType,
  stringValue,
  textOf,
  tupleValue,
} from '../values/value.ts';
import type { Functions } from './define.ts';
import { define, text } from './define.ts';

/** What RE2 has and JavaScript writes in another way, or has not. */
function compile(pattern: string, flags: string): RegExp {
  let source = pattern
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\z', '$(?![\\s\\S])')
    .replaceAll('\\A', '(?<![\\s\\S])');
  let extra = '';
  const leading = /^\(\?([imsU]+)\)/.exec(source);
  if (leading) {
    source = source.slice(leading[0].length);
    extra = (leading[1] ?? '').replaceAll('U', '');
  }
  if (/\(\?<?[=!]/.test(pattern) || /\\[1-9]/.test(pattern)) {
    throw new ArgumentError(0, `invalid regexp pattern: invalid or unsupported Perl syntax in ${pattern}`);
  }
  const classes = source.replace(/\[\[:(\^?)(\w+):\]\]/g, (all, negated: string, name: string) => {
    const known: Readonly<Record<string, string>> = {
      alnum: '0-9A-Za-z',
      alpha: 'A-Za-z',
      digit: '0-9',
      lower: 'a-z',
      upper: 'A-Z',
      space: '\\t\\n\\v\\f\\r ',
      punct: '!-\\/:-@\\[-`{-~',
      word: '0-9A-Za-z_',
      xdigit: '0-9A-Fa-f',
    };
    const found = known[name];
    return found === undefined ? all : `[${negated}${found}]`;
  });
  try {
    return new RegExp(classes, flags + extra);
  } catch {
    throw new ArgumentError(0, `invalid regexp pattern: ${pattern}`);
  }
}

function resultOf(match: RegExpExecArray): Value {
  const [whole, ...captures] = match as readonly (string | undefined)[];
  const value = (found: string | undefined): Value =>
    found === undefined ? nullOf(stringType) : stringValue(found);
  if (captures.length === 0) return value(whole);
  const named = Object.entries(match.groups ?? {});
  if (named.length === 0) return tupleValue(captures.map(value));
  if (named.length < captures.length) {
    throw new ArgumentError(0, 'invalid regexp pattern: cannot mix both named and unnamed capture groups');
  }
  return objectValue(named.map(([name, found]) => [name, value(found)] as const));
}

const regex = define([text('pattern'), text('string')], (pattern, value) => {
  const match = compile(textOf(pattern), 'u').exec(textOf(value));
  if (!match) throw new Error('pattern did not match any part of the given string');
  return resultOf(match);
});

const regexall = define([text('pattern'), text('string')], (pattern, value) =>
  listValue([...textOf(value).matchAll(compile(textOf(pattern), 'gu'))].map(resultOf), stringType),
);

/** `$1`, `${name}` and `$$` of Go: a name is as long as it can be, and one that is unknown is nothing. */
function expand(
  template: string,
  match: readonly string[],
  groups: Readonly<Record<string, string>>,
): string {
  return template.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (all, plain?: string, braced?: string) => {
    if (all === '$$') return '$';
    const name = plain ?? braced ?? '';
    return (/^\d+$/.test(name) ? match[Number(name)] : groups[name]) ?? '';
  });
}

const regexReplace = define([text('str'), text('pattern'), text('replace')], (value, pattern, replacement) =>
  stringValue(
    textOf(value).replace(compile(textOf(pattern), 'gu'), (...parts: unknown[]) => {
      const last = parts.at(-1);
      const groups = typeof last === 'object' && last !== null ? (last as Record<string, string>) : {};
      // Captures stand before the offset of the match.
      const match = parts.slice(
        0,
        parts.findIndex((part) => typeof part === 'number'),
      ) as string[];
      return expand(textOf(replacement), match, groups);
    }),
  ),
);

/** Regular expressions, as near to RE2's as JavaScript's are. */
export const regexFunctions: Functions = { regex, regexall, regex_replace: regexReplace };
