import { parseCsv } from '#hcl';

/** The comma-separated fields of an option's value; a field in quotes may hold commas. */
export function csvFields(text: string): readonly string[] {
  const [row] = parseCsv(text);
  if (!row) throw new Error('EOF');
  return row.fields;
}

/** As strconv.ParseBool of Go reads it; undefined for other texts. */
export function parseBoolean(text: string): boolean | undefined {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  return /^(0|f|F|FALSE|false|False)$/.test(text) ? false : undefined;
}

/** Go's complaint about a text that is no boolean. */
export const booleanError = (text: string): string =>
  `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`;

/**
 * Each once. From the last but one on, an element that comes again later puts the list's last element in the place of
 * that later one: the order is the reference's.
 */
export function withoutDuplicates<T>(items: readonly T[], same: (a: T, b: T) => boolean): T[] {
  const kept = [...items];
  for (let at = kept.length - 2; at >= 0; at -= 1) {
    const item = kept[at];
    const later = kept.findIndex((other, index) => index > at && item !== undefined && same(item, other));
    if (later < 0) continue;
    const last = kept.pop();
    if (last !== undefined && later < kept.length) kept[later] = last;
  }
  return kept;
}

/** Each key once: a later entry takes the place of an earlier one. */
export function lastByKey<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}
