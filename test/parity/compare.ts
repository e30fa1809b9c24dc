/** One place where two answers are not the same. */
export interface Difference {
  readonly path: string;
  /** JSON; '(absent)' where there is nothing. */
  readonly reference: string;
  readonly ours: string;
}

const shown = (value: unknown): string => (value === undefined ? '(absent)' : JSON.stringify(value));

/** A value of JSON with names in it. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Where two values differ, to the leaf. Types, presence, null and emptiness count; the order of keys does not. */
export function compare(reference: unknown, ours: unknown, path = ''): readonly Difference[] {
  if (isObject(reference) && isObject(ours)) {
    const names = [...new Set([...Object.keys(reference), ...Object.keys(ours)])];
    return names.flatMap((name) =>
      compare(reference[name], ours[name], path === '' ? name : `${path}.${name}`),
    );
  }
  if (Array.isArray(reference) && Array.isArray(ours) && reference.length === ours.length) {
    return reference.flatMap((item, index) => compare(item, ours[index], `${path}[${index}]`));
  }
  return JSON.stringify(reference) === JSON.stringify(ours)
    ? []
    : [{ path, reference: shown(reference), ours: shown(ours) }];
}
