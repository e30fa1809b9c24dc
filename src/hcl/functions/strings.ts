import { ArgumentError } from '../eval/scope.ts';
import { countCharacters, splitCharacters } from '../syntax/source.ts';
import { fromInteger } from '../values/decimal.ts';
import type { Value } from '../values/value.ts';
import {
  compareText,
  itemsOf,
  listOf,
  listValue,
  numberValue,
  stringType,
  stringValue,
  textOf,
} from '../values/value.ts';
import type { Functions } from './define.ts';
import { define, number, of, text, textFunction, variadic, wholeNumber } from './define.ts';

const strings = listOf(stringType);
const stringList = (items: readonly string[]): Value => listValue(items.map(stringValue), stringType);

const join = variadic([text('separator')], of('lists', strings), (separator, ...lists) => {
  if (lists.length === 0) throw new Error('at least one list is required');
  const parts = lists.flatMap((list, at) =>
    itemsOf(list).map((item, index) => {
      if (item.data !== null) return textOf(item);
      const where = lists.length > 1 ? `element ${index} of list ${at + 1}` : `element ${index}`;
      throw new ArgumentError(at + 1, `${where} is null; cannot concatenate null values`);
    }),
  );
  return stringValue(parts.join(textOf(separator)));
});

const sort = define([of('list', strings)], (list) => {
  const items = itemsOf(list);
  const missing = items.findIndex(({ data }) => data === null);
  if (missing >= 0) throw new Error(`given list element ${missing} is null; a null string cannot be sorted`);
  return stringList(items.map(textOf).sort(compareText));
});

const substr = define(
  [text('str'), number('offset'), number('length')],
  (value, offsetValue, lengthValue) => {
    const characters = splitCharacters(textOf(value));
    const length = wholeNumber(lengthValue, 2);
    const given = wholeNumber(offsetValue, 1);
    if (given >= 0 && length === 0) return stringValue('');
    const offset = Math.max(0, given < 0 ? given + characters.length : given);
    const rest = characters.slice(offset);
    return stringValue((length < 0 ? rest : rest.slice(0, length === 0 ? undefined : length)).join(''));
  },
);

/** Each first letter of a word. */
const title = (source: string): string =>
  source.replace(
    /(^|[^\p{L}\p{Nd}_'’])(\p{L})/gu,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  );

/** Character by character: what becomes several stays as it is. */
const upper = (source: string): string =>
  Array.from(source, (character) => {
    const large = character.toUpperCase();
    return Array.from(large).length === 1 ? large : character;
  }).join('');

function trimSet(source: string, cutset: string): string {
  const cut = new Set(cutset);
  const characters = Array.from(source);
  const first = characters.findIndex((character) => !cut.has(character));
  if (first < 0) return '';
  const last = characters.findLastIndex((character) => !cut.has(character));
  return characters.slice(first, last + 1).join('');
}

const two = (
  names: readonly [string, string],
  call: (first: string, second: string) => string,
): Functions[string] =>
  define(names.map(text), (first, second) => stringValue(call(textOf(first), textOf(second))));

/** As path.Base of Go. */
function baseName(path: string): string {
  if (path === '') return '.';
  return path.replace(/\/+$/, '').split('/').at(-1) || '/';
}

/** As path.Dir of Go. */
function folderName(path: string): string {
  const before = path.slice(0, path.lastIndexOf('/') + 1);
  const parts: string[] = [];
  const rooted = before.startsWith('/');
  for (const part of before.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !rooted) parts.push(part);
  }
  return (rooted ? '/' : '') + parts.join('/') || '.';
}

/** Text and what is made of it. */
export const stringFunctions: Functions = {
  basename: textFunction('path', baseName),
  chomp: textFunction('str', (source) => source.replace(/(?:\r\n?|\n)*$/, '')),
  dirname: textFunction('path', folderName),
  indent: define([number('spaces'), text('str')], (spaces, value) => {
    const count = wholeNumber(spaces, 0);
    if (count < 0 || count > 100_000) throw new ArgumentError(0, 'the number of spaces is out of range');
    return stringValue(textOf(value).replaceAll('\n', `\n${' '.repeat(count)}`));
  }),
  join,
  lower: textFunction('str', (source) => source.toLowerCase()),
  replace: define([text('str'), text('substr'), text('replace')], (value, wanted, replacement) =>
    stringValue(textOf(value).split(textOf(wanted)).join(textOf(replacement))),
  ),
  reverse: textFunction('str', (source) => splitCharacters(source).reverse().join('')),
  sanitize: textFunction('name', (source) => source.replace(/[^a-zA-Z0-9_-]/gu, '_')),
  sort,
  split: define([text('separator'), text('str')], (separator, value) => {
    const sign = textOf(separator);
    return stringList(sign === '' ? Array.from(textOf(value)) : textOf(value).split(sign));
  }),
  strlen: define([text('str')], (value) => numberValue(fromInteger(countCharacters(textOf(value))))),
  substr,
  title: textFunction('str', title),
  trim: two(['str', 'cutset'], trimSet),
  trimprefix: two(['str', 'prefix'], (source, prefix) =>
    source.startsWith(prefix) ? source.slice(prefix.length) : source,
  ),
  trimspace: textFunction('str', (source) => source.trim()),
  trimsuffix: two(['str', 'suffix'], (source, suffix) =>
    suffix !== '' && source.endsWith(suffix) ? source.slice(0, -suffix.length) : source,
  ),
  upper: textFunction('str', upper),
};
