import { DockerfileError } from './location.ts';
import { withSuggestion } from './suggestion.ts';

type FlagKind = 'text' | 'texts' | 'boolean';

/** The flags of an instruction after reading; what was not given is undefined, or an empty list. */
export type FlagValues<T extends Readonly<Record<string, FlagKind>>> = {
  readonly [K in keyof T]: T[K] extends 'texts'
    ? readonly string[]
    : (T[K] extends 'text' ? string : boolean) | undefined;
};

function readBoolean(name: string, value: string | undefined): boolean {
  if (value === '') throw new DockerfileError(`missing a value on flag: ${name}`);
  const lower = value?.toLowerCase();
  if (lower === undefined || lower === 'true') return true;
  if (lower === 'false') return false;
  throw new DockerfileError(`expecting boolean value for flag ${name}, not: ${value ?? ''}`);
}

/** Reads `--name[=value]` words. Throws DockerfileError for a flag that is not known, comes twice, or lacks its value. */
export function readFlags<const T extends Readonly<Record<string, FlagKind>>>(
  words: readonly string[],
  known: T,
): FlagValues<T> {
  const values: Record<string, string | boolean | string[]> = {};
  for (const [name, kind] of Object.entries(known)) if (kind === 'texts') values[name] = [];
  const used = new Set<string>();
  for (const word of words) {
    const at = word.indexOf('=');
    const written = at === -1 ? word : word.slice(0, at);
    const value = at === -1 ? undefined : word.slice(at + 1);
    const name = written.slice(2);
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) {
      const choices = Object.keys(known);
      throw new DockerfileError(
        withSuggestion(`unknown flag: ${written}`, name, choices, { caseSensitive: true }),
      );
    }
    if (used.has(name) && kind !== 'texts') throw new DockerfileError(`duplicate flag specified: ${written}`);
    used.add(name);
    if (kind === 'boolean') values[name] = readBoolean(written, value);
    else if (value === undefined) throw new DockerfileError(`missing a value on flag: ${written}`);
    else if (kind === 'text') values[name] = value;
    else values[name] = [...(values[name] as string[]), value];
  }
  // Each value was made after the kind that its name has.
  return values as FlagValues<T>;
}
