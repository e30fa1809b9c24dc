import { ArgumentError } from '../eval/scope.ts';
import { convert } from '../values/convert.ts';
import { unify } from '../values/convertible.ts';
import { fromInteger } from '../values/decimal.ts';
import { sameValue } from '../values/set-order.ts';
import type { Value } from '../values/value.ts';
import {
  anyType,
  boolValue,
  decimalOf,
  entriesOf,
  isMapping,
  isSequence,
  itemsOf,
  listOf,
  listValue,
  mapValue,
  numberValue,
  objectValue,
  sameType,
  stringType,
  stringValue,
  textOf,
  tupleValue,
  typeName,
} from '../values/value.ts';
import type { Functions } from './define.ts';
import { any, anyOrNull, define, number, of, text, variadic, wholeNumber } from './define.ts';

const anyList = of('list', listOf(anyType));
const isListOrTuple = ({ type }: Value): boolean => type.kind === 'list' || type.kind === 'tuple';

/** A sequence like another one, of other items. */
const like = ({ type }: Value, items: readonly Value[]): Value =>
  type.kind === 'tuple' ? tupleValue(items) : listValue(items, 'element' in type ? type.element : anyType);

/** The element that a key stands for; undefined if there is none. */
function find(collection: Value, key: Value): Value | undefined {
  if (isListOrTuple(collection)) {
    return key.type.kind === 'number' ? itemsOf(collection)[numberOrNone(key)] : undefined;
  }
  return key.type.kind === 'string' ? entriesOf(collection).get(textOf(key)) : undefined;
}

const numberOrNone = (key: Value): number => {
  const { mantissa, exponent } = decimalOf(key);
  return exponent < 0 || exponent > 30 || mantissa < 0n ? -1 : Number(mantissa << BigInt(exponent));
};

function checkCollection({ type }: Value): void {
  if (type.kind === 'list' || type.kind === 'tuple' || type.kind === 'map') return;
  throw new Error('collection must be a list, a map or a tuple');
}

const coalesce = variadic([], anyOrNull('vals'), (...values) => {
  const type = unify(values.map((value) => value.type));
  if (!type) throw new Error('all arguments must have the same type');
  const found = values.find(({ data }) => data !== null);
  if (!found) throw new Error('no non-null arguments');
  return convert(found, type);
});

const coalescelist = variadic([], anyOrNull('vals'), (...values) => {
  if (values.length === 0) throw new Error('at least one argument is required');
  if (!values.every(isListOrTuple)) throw new Error('coalescelist arguments must be lists or tuples');
  const found = values.find((value) => value.data !== null && itemsOf(value).length > 0);
  if (!found) throw new Error('no non-null arguments');
  return found;
});

const concat = variadic([], any('seqs'), (...values) => {
  if (values.length === 0) throw new Error('at least one argument is required');
  if (values.every(({ type }) => type.kind === 'list')) {
    const type = unify(values.map((value) => value.type));
    if (type?.kind === 'list') {
      return listValue(
        values.flatMap((value) => itemsOf(convert(value, type))),
        type.element,
      );
    }
  }
  for (const [index, value] of values.entries()) {
    if (!isListOrTuple(value)) {
      throw new ArgumentError(index, `all arguments must be lists or tuples; got ${typeName(value.type)}`);
    }
  }
  return tupleValue(values.flatMap(itemsOf));
});

const chunklist = define([anyList, number('size')], (list, sizeValue) => {
  const size = wholeNumber(sizeValue, 1);
  if (size < 0) throw new Error('the size argument must be positive');
  const items = itemsOf(list);
  if (items.length === 0) return listValue([], list.type);
  if (size === 0) return listValue([list]);
  const chunks = Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    like(list, items.slice(at * size, (at + 1) * size)),
  );
  return listValue(chunks);
});

const element = define([any('list'), number('index')], (list, indexValue) => {
  if (!isListOrTuple(list)) throw new Error(`cannot read elements from ${typeName(list.type)}`);
  const items = itemsOf(list);
  if (items.length === 0) throw new Error('cannot use element function with an empty list');
  const index = wholeNumber(indexValue, 1);
  if (index < 0) throw new Error('cannot use element function with a negative index');
  const found = items[index % items.length];
  if (!found) throw new Error('invalid index');
  return found;
});

const flat = (value: Value): readonly Value[] =>
  itemsOf(value).flatMap((item) => (item.data !== null && isSequence(item.type) ? flat(item) : [item]));

const index = define([any('collection'), any('key')], (collection, key) => {
  checkCollection(collection);
  const wanted = collection.type.kind === 'map' ? 'string' : 'number';
  if (key.type.kind !== wanted) throw new Error(`key for ${collection.type.kind} must be ${wanted}`);
  const found = find(collection, key);
  if (found) return found;
  throw new Error(
    collection.type.kind === 'tuple'
      ? `key must be between 0 and ${itemsOf(collection).length} inclusive`
      : 'invalid index',
  );
});

const lookup = define([any('inputMap'), text('key'), any('default')], (map, key, fallback) => {
  const name = textOf(key);
  if (map.type.kind === 'object') return entriesOf(map).get(name) ?? fallback;
  if (map.type.kind !== 'map') throw new ArgumentError(0, 'lookup() requires a map as the first argument');
  try {
    const converted = convert(fallback, map.type.element);
    return entriesOf(map).get(name) ?? converted;
  } catch {
    throw new ArgumentError(2, 'the default value must have the same type as the map elements');
  }
});

const merge = variadic([], anyOrNull('maps'), (...values) => {
  const [first] = values;
  if (!first) return objectValue([]);
  for (const { type } of values) {
    if (!isMapping(type))
      throw new Error(`arguments must be maps or objects, got ${JSON.stringify(typeName(type))}`);
  }
  const entries = values.flatMap((value) => (value.data === null ? [] : [...entriesOf(value)]));
  const { type } = first;
  return type.kind === 'map' && values.every((value) => sameType(value.type, type))
    ? mapValue(entries, type.element)
    : objectValue(entries);
});

const slice = define([any('list'), number('start_index'), number('end_index')], (list, from, to) => {
  if (list.type.kind === 'set') {
    throw new ArgumentError(
      0,
      'cannot slice a set, because its elements do not have indices; explicitly convert to a list if the ordering of the result is not important',
    );
  }
  if (!isListOrTuple(list)) throw new ArgumentError(0, 'must be a list or tuple value');
  const items = itemsOf(list);
  const [start, end] = [wholeNumber(from, 1), wholeNumber(to, 2)];
  const checks: [number, number, string][] = [
    [1, start, 'start'],
    [2, end, 'end'],
  ];
  for (const [at, value, name] of checks) {
    if (value < 0) throw new ArgumentError(at, `${name} index must not be less than zero`);
    if (value > items.length) {
      throw new ArgumentError(at, `${name} index must not be greater than the length of the list`);
    }
  }
  if (start > end) throw new ArgumentError(1, 'start index must not be greater than end index');
  return like(list, items.slice(start, end));
});

const zipmap = define([of('keys', listOf(stringType)), any('values')], (keys, values) => {
  if (!isListOrTuple(values)) throw new ArgumentError(1, 'values argument must be a list or tuple value');
  const names = itemsOf(keys).map(textOf);
  const items = itemsOf(values);
  if (names.length !== items.length) {
    throw new Error(`number of keys (${names.length}) does not match number of values (${items.length})`);
  }
  const entries = names.map((name, at): [string, Value] => [name, items[at] ?? stringValue('')]);
  return values.type.kind === 'list' ? mapValue(entries, values.type.element) : objectValue(entries);
});

const contains = define([any('list'), anyOrNull('value')], (list, value) => {
  if (!isSequence(list.type)) throw new Error('argument must be list, tuple, or set');
  return boolValue(itemsOf(list).some((item) => sameValue(item, value)));
});

const indexof = define([any('list'), any('value')], (list, value) => {
  if (!isListOrTuple(list)) throw new Error('argument must be a list or tuple');
  const items = itemsOf(list);
  if (items.length === 0) throw new Error('cannot search an empty list');
  const at = items.findIndex((item) => sameValue(item, value));
  if (at < 0) throw new Error('item not found');
  return numberValue(fromInteger(at));
});

const length = define([any('collection')], (collection) => {
  if (isSequence(collection.type)) return numberValue(fromInteger(itemsOf(collection).length));
  checkCollection(collection);
  return numberValue(fromInteger(entriesOf(collection).size));
});

/** Lists, tuples, maps and objects. */
export const collectionFunctions: Functions = {
  chunklist,
  coalesce,
  coalescelist,
  compact: define([of('list', listOf(stringType))], (list) =>
    listValue(
      itemsOf(list).filter(({ data }) => data !== null && data !== ''),
      stringType,
    ),
  ),
  concat,
  contains,
  distinct: define([anyList], (list) => {
    const items = itemsOf(list);
    return like(
      list,
      items.filter((item, at) => items.findIndex((other) => sameValue(item, other)) === at),
    );
  }),
  element,
  flatten: define([any('list')], (list) => {
    if (!isSequence(list.type)) throw new Error('can only flatten lists, sets and tuples');
    return tupleValue(flat(list));
  }),
  hasindex: define([any('collection'), any('key')], (collection, key) => {
    checkCollection(collection);
    return boolValue(find(collection, key) !== undefined);
  }),
  index,
  indexof,
  keys: define([any('inputMap')], (map) => {
    if (!isMapping(map.type)) throw new ArgumentError(0, 'must have map or object type');
    const keys = [...entriesOf(map).keys()].map(stringValue);
    return map.type.kind === 'map' ? listValue(keys, stringType) : tupleValue(keys);
  }),
  length,
  lookup,
  merge,
  reverselist: define([any('list')], (list) => {
    if (!isSequence(list.type)) {
      throw new ArgumentError(0, `can only reverse list or tuple values, not ${typeName(list.type)}`);
    }
    return like(list, itemsOf(list).toReversed());
  }),
  slice,
  values: define([any('mapping')], (map) => {
    if (!isMapping(map.type)) throw new Error('values() requires a map as the first argument');
    const items = [...entriesOf(map).values()];
    return map.type.kind === 'map' ? listValue(items, map.type.element) : tupleValue(items);
  }),
  zipmap,
};
