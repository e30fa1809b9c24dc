import type { Filter } from '../flags/index.ts';

/** Conditions in the form that every engine reads; undefined for none. */
export function encodeFilters(filter: Filter): string | undefined {
  const entries = Object.entries(filter).map(
    ([name, values]) => [name, Object.fromEntries(values.map((value) => [value, true]))] as const,
  );
  return entries.length === 0 ? undefined : JSON.stringify(Object.fromEntries(entries));
}
