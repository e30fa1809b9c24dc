import type { Decimal } from './decimal.ts';

/** The types of values. `any` is the type of null where nothing more is known, and of constraints that take all. */
export type Type =
  | { readonly kind: 'string' | 'number' | 'bool' | 'any' }
  | { readonly kind: 'list' | 'set' | 'map'; readonly element: Type }
  | { readonly kind: 'tuple'; readonly elements: readonly Type[] }
  | {
      readonly kind: 'object';
      readonly attributes: ReadonlyMap<string, Type>;
      /** Of constraints: the attributes that may be missing. */
      readonly optional?: ReadonlySet<string>;
    };

/** Elements of maps and objects stand in the order of their keys. */
export type Data = null | string | boolean | Decimal | readonly Value[] | ReadonlyMap<string, Value>;

/** A value with its type; `data` fits the type, null with any. */
export interface Value {
  readonly type: Type;
  readonly data: Data;
}

export const stringType: Type = { kind: 'string' };
export const numberType: Type = { kind: 'number' };
export const boolType: Type = { kind: 'bool' };
export const anyType: Type = { kind: 'any' };
export const listOf = (element: Type): Type => ({ kind: 'list', element });
export const setOf = (element: Type): Type => ({ kind: 'set', element });
export const mapOf = (element: Type): Type => ({ kind: 'map', element });

export const nullOf = (type: Type): Value => ({ type, data: null });
export const stringValue = (text: string): Value => ({ type: stringType, data: text.normalize('NFC') });
export const boolValue = (data: boolean): Value => ({ type: boolType, data });
export const numberValue = (data: Decimal): Value => ({ type: numberType, data });

export const tupleValue = (items: readonly Value[]): Value => ({
  type: { kind: 'tuple', elements: items.map(({ type }) => type) },
  data: items,
});

/** `element` counts where there are no items. */
export const listValue = (items: readonly Value[], element: Type = anyType): Value => ({
  type: listOf(items[0]?.type ?? element),
  data: items,
});

export function objectValue(entries: Iterable<readonly [string, Value]>): Value {
  const data = sortedMap(entries);
  const attributes = new Map([...data].map(([key, { type }]) => [key, type] as const));
  return { type: { kind: 'object', attributes }, data };
}

export function mapValue(entries: Iterable<readonly [string, Value]>, element: Type = anyType): Value {
  const data = sortedMap(entries);
  const [first] = data.values();
  return { type: mapOf(first?.type ?? element), data };
}

/** Sorted by key, the last of several of one key counts. */
export function sortedMap<T>(entries: Iterable<readonly [string, T]>): ReadonlyMap<string, T> {
  const map = new Map(entries);
  return new Map([...map].sort(([a], [b]) => compareText(a, b)));
}

/** By code points, as Go compares strings. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export const isSequence = ({ kind }: Type): boolean => kind === 'list' || kind === 'set' || kind === 'tuple';
export const isMapping = ({ kind }: Type): boolean => kind === 'map' || kind === 'object';
export const isPrimitive = ({ kind }: Type): boolean =>
  kind === 'string' || kind === 'number' || kind === 'bool';

/** The elements of a list, set or tuple. */
export function itemsOf({ data }: Value): readonly Value[] {
  if (!Array.isArray(data)) throw new TypeError('not a sequence');
  return data as readonly Value[];
}

/** The elements of a map or object. */
export function entriesOf({ data }: Value): ReadonlyMap<string, Value> {
  if (!(data instanceof Map)) throw new TypeError('not a mapping');
  return data as ReadonlyMap<string, Value>;
}

export function textOf({ data }: Value): string {
  if (typeof data !== 'string') throw new TypeError('not a string');
  return data;
}

export function decimalOf({ data }: Value): Decimal {
  if (typeof data !== 'object' || data === null || !('mantissa' in data)) throw new TypeError('not a number');
  return data;
}

export function sameType(a: Type, b: Type): boolean {
  if (a === b) return true;
  if ((a.kind === 'list' || a.kind === 'set' || a.kind === 'map') && a.kind === b.kind) {
    return 'element' in b && sameType(a.element, b.element);
  }
  if (a.kind === 'tuple' && b.kind === 'tuple') {
    return (
      a.elements.length === b.elements.length &&
      a.elements.every((type, at) => sameType(type, b.elements[at] ?? anyType))
    );
  }
  if (a.kind === 'object' && b.kind === 'object') {
    return (
      a.attributes.size === b.attributes.size &&
      [...a.attributes].every(([name, type]) => {
        const other = b.attributes.get(name);
        return (
          other !== undefined && sameType(type, other) && a.optional?.has(name) === b.optional?.has(name)
        );
      })
    );
  }
  return a.kind === b.kind;
}

/** How messages and lists call a type. */
export function typeName(type: Type, constraint = false): string {
  switch (type.kind) {
    case 'any':
      return constraint ? 'any type' : 'dynamic';
    case 'list':
    case 'set':
    case 'map':
      return `${type.kind} of ${constraint && type.element.kind === 'any' ? 'any single type' : typeName(type.element, constraint)}`;
    default:
      return type.kind;
  }
}
