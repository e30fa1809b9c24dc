import { ArgumentError } from '../eval/scope.ts';
import { convert } from '../values/convert.ts';
import { unify } from '../values/convertible.ts';
import { sameValue, sortSet } from '../values/set-order.ts';
import type { Type, Value } from '../values/value.ts';
import { anyType, boolValue, itemsOf, listValue, setOf, tupleValue } from '../values/value.ts';
import type { Functions } from './define.ts';
import { any, define, of, variadic } from './define.ts';

const anySet = (name: string): ReturnType<typeof of> => of(name, setOf(anyType));
const has = (items: readonly Value[], wanted: Value): boolean =>
  items.some((item) => sameValue(item, wanted));

type Combine = (a: readonly Value[], b: readonly Value[]) => readonly Value[];

function combineAll(sets: readonly Value[], combine: Combine): Value {
  const types = sets.flatMap(({ type, data }) =>
    type.kind === 'set' && !(Array.isArray(data) && data.length === 0 && type.element.kind === 'any')
      ? [type.element]
      : [],
  );
  const element = unify(types);
  if (!element) throw new Error('given sets must all have compatible element types');
  const type = setOf(element);
  const [first = [], ...others] = sets.map((set) => itemsOf(convert(set, type)));
  return { type, data: sortSet(others.reduce(combine, first)) };
}

const operation = (combine: Combine): Functions[string] =>
  variadic([anySet('first_set')], anySet('other_sets'), (...sets) => combineAll(sets, combine));

const without: Combine = (a, b) => a.filter((item) => !has(b, item));

/** Elements' type of what setproduct takes. */
function elementType({ type }: Value, index: number): Type {
  if (type.kind === 'set' || type.kind === 'list') return type.element;
  if (type.kind !== 'tuple') throw new ArgumentError(index, 'a set or a list is required');
  const common = unify(type.elements);
  if (!common) throw new ArgumentError(index, 'all elements must be of the same type');
  return common;
}

const mostCombinations = 100_000;

const setproduct = variadic([], any('sets'), (...sets) => {
  if (sets.length < 2) throw new Error('at least two arguments are required');
  const types = sets.map(elementType);
  const columns = sets.map((set, at) => itemsOf(set).map((item) => convert(item, types[at] ?? anyType)));
  if (columns.reduce((product, { length }) => product * length, 1) > mostCombinations) {
    throw new Error('the product has too many elements');
  }
  const rows = columns.reduce<readonly (readonly Value[])[]>(
    (all, column) => all.flatMap((row) => column.map((item) => [...row, item])),
    [[]],
  );
  const element: Type = { kind: 'tuple', elements: types };
  const items = rows.map((row) => ({ ...tupleValue(row), type: element }));
  return sets.some(({ type }) => type.kind === 'set')
    ? { type: setOf(element), data: sortSet(items) }
    : listValue(items, element);
});

/** Sets. */
export const setFunctions: Functions = {
  sethaselement: define([anySet('set'), any('elem')], (set, item) => boolValue(has(itemsOf(set), item))),
  setintersection: operation((a, b) => a.filter((item) => has(b, item))),
  setproduct,
  setsubtract: define([anySet('a'), anySet('b')], (a, b) => combineAll([a, b], without)),
  setsymmetricdifference: operation((a, b) => [...without(a, b), ...without(b, a)]),
  setunion: operation((a, b) => [...a, ...b]),
};
