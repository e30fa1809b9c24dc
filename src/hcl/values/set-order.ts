import { compare } from './decimal.ts';
import type { Value } from './value.ts';
import { compareText, decimalOf, entriesOf, itemsOf, sameType } from './value.ts';

/** Whether two values are of one type and alike. */
export function sameValue(a: Value, b: Value): boolean {
  if (a.data === null || b.data === null) return a.data === b.data;
  if (a.type.kind === 'number' && b.type.kind === 'number') return compare(decimalOf(a), decimalOf(b)) === 0;
  if (!sameType(a.type, b.type)) return false;
  if (Array.isArray(a.data)) {
    const [left, right] = [itemsOf(a), itemsOf(b)];
    return left.length === right.length && left.every((item, at) => same(item, right[at]));
  }
  if (a.data instanceof Map) {
    const [left, right] = [entriesOf(a), entriesOf(b)];
    return left.size === right.size && [...left].every(([key, item]) => same(item, right.get(key)));
  }
  return a.data === b.data;
}

const same = (a: Value, b: Value | undefined): boolean => b !== undefined && sameValue(a, b);

/** The elements of a set: each once, strings and numbers in their order, others as they came. */
export function sortSet(items: readonly Value[]): Value[] {
  const single = items.filter((item, at) => items.findIndex((other) => sameValue(item, other)) === at);
  return single.sort((a, b) => {
    if (a.data === null || b.data === null) return a.data === b.data ? 0 : a.data === null ? 1 : -1;
    if (typeof a.data === 'string' && typeof b.data === 'string') return compareText(a.data, b.data);
    if (typeof a.data === 'boolean') return Number(a.data) - Number(b.data);
    return a.type.kind === 'number' && b.type.kind === 'number' ? compare(decimalOf(a), decimalOf(b)) : 0;
  });
}
