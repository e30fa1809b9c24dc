import { invalidArgument } from '#kernel';

/**
 * How a request body is read: as Go's encoding/json reads it into a struct, since that is what clients were
 * written against. Keys match in any case, unknown keys are ignored, null is the zero value, and what has the
 * wrong type is refused in Go's words. `go` is the type's name in those words.
 */
export type Shape =
  | { readonly kind: 'string' | 'boolean'; readonly go: string }
  | { readonly kind: 'integer'; readonly go: string; readonly min: number; readonly max: number }
  | { readonly kind: 'list'; readonly go: string; readonly item: Shape; readonly length?: number }
  | { readonly kind: 'map'; readonly go: string; readonly value: Shape }
  | { readonly kind: 'struct'; readonly go: string; readonly fields: ReadonlyMap<string, Field> }
  /** Go's StrSlice: a list, or one string that stands for a list of one. */
  | { readonly kind: 'stringOrList'; readonly go: string };

interface Field {
  readonly name: string;
  readonly shape: Shape;
}

export const string = (go = 'string'): Shape => ({ kind: 'string', go });
export const boolean: Shape = { kind: 'boolean', go: 'bool' };
const integer = (go: string, min: number, max: number): Shape => ({ kind: 'integer', go, min, max });
export const int64 = integer('int64', -(2 ** 63), 2 ** 63);
export const int = integer('int', -(2 ** 63), 2 ** 63);
const uint = integer('uint', 0, 2 ** 64);
export const uint64 = integer('uint64', 0, 2 ** 64);
export const uint16 = integer('uint16', 0, 65535);
export const fileMode = integer('fs.FileMode', 0, 2 ** 32 - 1);
/** Nanoseconds. */
export const duration = integer('time.Duration', -(2 ** 63), 2 ** 63);
export const stringOrList: Shape = { kind: 'stringOrList', go: 'string' };
export const list = (item: Shape, go = `[]${item.go}`): Shape => ({ kind: 'list', go, item });
/** Rows and columns; missing ones are 0. */
export const consoleSize: Shape = { kind: 'list', go: '[2]uint', item: uint, length: 2 };
export const map = (value: Shape, go = `map[string]${value.go}`): Shape => ({ kind: 'map', go, value });

/** An object; the compiler checks that every field of T, and no other, is described. */
export function struct<T>(go: string, fields: Readonly<Record<keyof Required<T>, Shape>>): Shape {
  const byName = Object.entries<Shape>(fields).map(
    ([name, shape]) => [name.toLowerCase(), { name, shape }] as const,
  );
  return { kind: 'struct', go, fields: new Map(byName) };
}

/** An object without fields. */
export const emptyStruct: Shape = { kind: 'struct', go: 'struct {}', fields: new Map() };

/**
 * Reads `value` (what JSON.parse gave) as T. `shape` must be `struct<T>(…)`. `prefix` goes before Go's text;
 * `owner` is the Go struct's name in it. Throws invalidArgument.
 */
export function read<T>(
  shape: Shape,
  value: unknown,
  words: { readonly owner: string; readonly prefix?: string },
): T {
  try {
    // A null body leaves the struct as it was: empty. The shape describes T, so what decode() made is one.
    return (decode(shape, value, '') ?? {}) as T;
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw invalidArgument(`${words.prefix ?? 'invalid JSON: '}${error.describe(words.owner)}`);
  }
}

/** A value that does not fit the shape at `path` (JSON pointer with dots for slashes). */
class Mismatch extends Error {
  readonly path: string;
  readonly found: string;
  readonly go: string;

  constructor(path: string, found: string, go: string) {
    super(path);
    this.path = path;
    this.found = found;
    this.go = go;
  }

  describe(owner: string): string {
    const place = `json: cannot unmarshal ${this.found} into`;
    if (this.path === '') return `${place} Go value of type ${this.go}`;
    // Go names the struct unless the last step is an index.
    const names = /\.\d+$/.test(this.path) ? this.path : `Go struct field ${owner}${this.path}`;
    return `${place} ${names} of type ${this.go}`;
  }
}

function decode(shape: Shape, value: unknown, path: string): unknown {
  if (value === null || value === undefined) return undefined;
  switch (shape.kind) {
    case 'list':
      if (Array.isArray(value)) return decodeList(shape, value, path);
      break;
    case 'map':
      if (isObject(value)) return decodeMap(shape, value, path);
      break;
    case 'struct':
      if (isObject(value)) return decodeStruct(shape, value, path);
      break;
    case 'integer':
      if (typeof value === 'number') return decodeInteger(shape, value, path);
      break;
    case 'stringOrList':
      return decodeStringOrList(value);
    default:
      if (typeof value === shape.kind) return value;
  }
  throw new Mismatch(path, nameOf(value), shape.go);
}

function decodeInteger(shape: Extract<Shape, { kind: 'integer' }>, value: number, path: string): number {
  if (Number.isInteger(value) && value >= shape.min && value <= shape.max) return value;
  throw new Mismatch(path, `number ${value}`, shape.go);
}

/** Go decodes it on its own: the error does not know the field. */
function decodeStringOrList(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  const items: readonly unknown[] | undefined = Array.isArray(value) ? value : undefined;
  const texts = items?.map((item) => item ?? '').filter((item) => typeof item === 'string');
  if (!texts || texts.length !== items?.length) throw new Mismatch('', nameOf(value), 'string');
  return texts;
}

function decodeList(
  shape: Extract<Shape, { kind: 'list' }>,
  value: readonly unknown[],
  path: string,
): unknown[] {
  const items = shape.length === undefined ? value : value.slice(0, shape.length);
  const decoded = items.map(
    (item, index) => decode(shape.item, item, `${path}.${index}`) ?? zero(shape.item),
  );
  while (decoded.length < (shape.length ?? 0)) decoded.push(zero(shape.item));
  return decoded;
}

function decodeMap(shape: Extract<Shape, { kind: 'map' }>, value: object, path: string): object {
  // Entries defined one by one: a key `__proto__` is a key like any other.
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => {
      const escaped = key.replaceAll('~', '~0').replaceAll('/', '~1');
      return [key, decode(shape.value, item, `${path}.${escaped}`) ?? zero(shape.value)];
    }),
  );
}

function decodeStruct(shape: Extract<Shape, { kind: 'struct' }>, value: object, path: string): object {
  const decoded: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value) as [string, unknown][]) {
    const field = shape.fields.get(key.toLowerCase());
    if (!field) continue;
    const read = decode(field.shape, item, `${path}.${field.name}`);
    if (read !== undefined) decoded[field.name] = read;
  }
  return decoded;
}

/** What null in a list or a map stands for. */
function zero(shape: Shape): unknown {
  switch (shape.kind) {
    case 'string':
      return '';
    case 'boolean':
      return false;
    case 'integer':
      return 0;
    case 'struct':
      // Structs in maps are pointers in Go, sets excepted.
      return shape.fields.size === 0 ? {} : null;
    default:
      return null;
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}
