import { encodeJson } from './json.ts';
import {
  Nil,
  Row,
  compareBytes,
  formatValue,
  isMap,
  isObject,
  isTrue,
  sortedKeys,
  typeName,
} from './go-value.ts';
import { sprintf } from './printf.ts';

export type TemplateFunction = (...args: readonly unknown[]) => unknown;

/** The functions of text/template and those which Docker adds. They throw plain errors with Go's texts. */
export const functions: Readonly<Record<string, TemplateFunction>> = {
  and: (...args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1),
  or: (...args) => args.find(isTrue) ?? args.at(-1),
  not: (value) => !isTrue(value),
  len: length,
  index,
  slice,
  print: (...args) => print(args),
  printf: (format, ...args) => sprintf(text(format), args),
  println: (...args) => `${args.map(formatValue).join(' ')}\n`,
  html: (...args) => print(args).replace(/[&<>"'\0]/g, (char) => htmlEscapes[char] ?? char),
  js: (...args) => JSON.stringify(print(args)).slice(1, -1).replaceAll("'", "\\'"),
  urlquery: (...args) => encodeURIComponent(print(args)).replaceAll('%20', '+'),
  eq: (first, ...others) => {
    if (others.length === 0) throw new Error('missing argument for comparison');
    return others.some((other) => equal(first, other));
  },
  ne: (a, b) => !equal(a, b),
  lt: (a, b) => order(a, b) < 0,
  le: (a, b) => order(a, b) <= 0,
  gt: (a, b) => order(a, b) > 0,
  ge: (a, b) => order(a, b) >= 0,
  json: (value) => encodeJson(value, { html: false }),
  split: (value, separator) => text(value).split(text(separator)),
  join: (list, separator) => (Array.isArray(list) ? list : []).map(formatValue).join(text(separator)),
  title: (value) =>
    text(value).replace(
      /(^|[^\p{L}\p{N}_'])(\p{L})/gu,
      (_, before: string, letter: string) => before + letter.toUpperCase(),
    ),
  lower: (value) => text(value).toLowerCase(),
  upper: (value) => text(value).toUpperCase(),
  pad: (value, before, after) =>
    text(value) === '' ? '' : ' '.repeat(Number(before)) + text(value) + ' '.repeat(Number(after)),
  truncate: (value, size) =>
    text(value).length < Number(size) ? text(value) : text(value).slice(0, Number(size)),
};

export const functionNames: ReadonlySet<string> = new Set(Object.keys(functions));

const htmlEscapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '\0': '\uFFFD',
};

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new Error(`wrong type for value; expected string; got ${typeName(value)}`);
}

/** fmt.Sprint: spaces only between operands of which neither is a string. */
function print(args: readonly unknown[]): string {
  let out = '';
  for (const [at, arg] of args.entries()) {
    if (at > 0 && typeof arg !== 'string' && typeof args[at - 1] !== 'string') out += ' ';
    out += formatValue(arg);
  }
  return out;
}

function length(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (value === null || value === undefined || value instanceof Nil) return 0;
  if (isObject(value)) return Object.keys(value).length;
  throw new Error(`error calling len: len of type ${typeName(value)}`);
}

function index(value: unknown, ...keys: readonly unknown[]): unknown {
  let item = value;
  for (const key of keys) {
    if (item === null || item === undefined) throw new Error('error calling index: index of untyped nil');
    if (Array.isArray(item) || typeof item === 'string') {
      if (typeof key !== 'number')
        throw new Error(`error calling index: cannot index slice/array with type ${typeName(key)}`);
      const size = typeof item === 'string' ? Buffer.byteLength(item) : item.length;
      if (key < 0 || key >= size) throw new Error(`error calling index: index out of range: ${key}`);
      item = typeof item === 'string' ? Buffer.from(item)[key] : (item as readonly unknown[])[key];
    } else if (isObject(item)) {
      if (typeof key !== 'string')
        throw new Error(`error calling index: value has type ${typeName(key)}; should be string`);
      item = key in item ? item[key] : isMap(item) ? zeroLike(item) : undefined;
    } else throw new Error(`error calling index: can't index item of type ${typeName(item)}`);
  }
  return item;
}

/** The zero value of a map's element type, judged by its neighbours. */
function zeroLike(map: Readonly<Record<string, unknown>>): unknown {
  const sample = Object.values(map).find((value) => value !== null);
  return sample === undefined || typeof sample === 'string' ? '' : Array.isArray(sample) ? [] : null;
}

function slice(value: unknown, from?: unknown, to?: unknown): unknown {
  const start = Number(from ?? 0);
  if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    checkRange(start, Number(to ?? bytes.length), bytes.length);
    return bytes.subarray(start, to === undefined ? undefined : Number(to)).toString();
  }
  if (!Array.isArray(value))
    throw new Error(`error calling slice: can't slice item of type ${typeName(value)}`);
  checkRange(start, Number(to ?? value.length), value.length);
  return value.slice(start, to === undefined ? undefined : Number(to));
}

function checkRange(start: number, end: number, size: number): void {
  for (const at of [start, end]) {
    if (at < 0 || at > size) throw new Error(`error calling slice: index out of range: ${at}`);
  }
  if (start > end) throw new Error(`error calling slice: invalid slice index: ${start} > ${end}`);
}

function comparable(value: unknown): string {
  if (value instanceof Row || isObject(value) || Array.isArray(value)) {
    throw new Error('invalid type for comparison');
  }
  return typeof value;
}

function equal(a: unknown, b: unknown): boolean {
  const empty = a === null || a === undefined || b === null || b === undefined;
  if (empty) return (a ?? null) === (b ?? null);
  if (comparable(a) !== comparable(b))
    throw new Error(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
  return a === b;
}

function order(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return compareBytes(a, b);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  throw new Error(
    comparable(a) === comparable(b) ? 'invalid type for comparison' : 'incompatible types for comparison',
  );
}

/** The pairs that `range` walks: maps by key, lists by index, integers by counting. Undefined for anything else. */
export function pairs(value: unknown): (readonly [unknown, unknown])[] | undefined {
  if (value === null || value === undefined || value instanceof Nil) return [];
  if (Array.isArray(value)) return value.map((item: unknown, at) => [at, item] as const);
  if (isObject(value)) return sortedKeys(value).map((key) => [key, value[key]] as const);
  if (typeof value === 'number')
    return Array.from({ length: Math.max(0, value) }, (_, at) => [at, at] as const);
  return undefined;
}
