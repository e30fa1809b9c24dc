import { splitCsv } from '../../flags/csv.ts';

/** Fields `key=value`, keys in small letters; `other` takes a field without `=`, or refuses it. */
export function fieldsOf(
  text: string,
  other: (field: string) => readonly [string, string],
): (readonly [key: string, value: string])[] {
  return splitCsv(text).map((field) => {
    const at = field.indexOf('=');
    return at < 0 ? other(field) : [field.slice(0, at).trim().toLowerCase(), field.slice(at + 1)];
  });
}

/** `NAME=value`; a name alone takes the value of the environment, or is left out where that has none. */
export function variables(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const word of words) {
    const at = word.indexOf('=');
    const name = at < 0 ? word : word.slice(0, at);
    const value = at < 0 ? env[name] : word.slice(at + 1);
    if (value !== undefined) found[name] = value;
  }
  return found;
}
