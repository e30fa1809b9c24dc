import { booleanError, csvFields, parseBoolean, withoutDuplicates, lastByKey } from './fields.ts';

/**
 * What a target caches from or to, puts out or attests: attributes with a `type`. `dest` is where an output goes,
 * `disabled` (true) an attestation that is not wanted.
 */
export type Entry = Readonly<Record<string, string>>;

const sameEntry = (a: Entry, b: Entry): boolean => {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
};

export const distinctEntries = (entries: readonly Entry[]): Entry[] => withoutDuplicates(entries, sameEntry);
export const distinctAttests = (entries: readonly Entry[]): Entry[] =>
  lastByKey(entries, ({ type = '' }) => type);

function keyValue(field: string): [string, string] {
  const at = field.indexOf('=');
  if (at < 0) throw new Error(`invalid value ${field}`);
  return [field.slice(0, at), field.slice(at + 1)];
}

/** Reads `type=local,src=dir`, and names of images, which may be several. Throws errors with buildx's words. */
export function parseCacheEntries(text: string): Entry[] {
  if (text === '') return [];
  const fields = csvFields(text);
  if (!text.includes('=')) return fields.map((ref) => ({ type: 'registry', ref }));
  const entry: Record<string, string> = {};
  for (const field of fields) {
    const [key, value] = keyValue(field);
    entry[key.toLowerCase()] = value;
  }
  return [checkedCache(entry, text)];
}

/** Throws where there is no type. */
export function checkedCache(entry: Entry, text: string): Entry {
  if (!entry['type']) throw new Error(`type required form> ${JSON.stringify(text)}`);
  return entry;
}

/** Reads `type=image,push=true`, a folder, or `-`. */
export function parseOutput(text: string): Entry {
  const fields = csvFields(text);
  if (fields.length === 1 && fields[0] === text && !text.startsWith('type=')) {
    return { type: text === '-' ? 'tar' : 'local', dest: text };
  }
  const entry: Record<string, string> = {};
  for (const field of fields) {
    const [key, value] = keyValue(field);
    const name = key.toLowerCase().trim();
    if (name !== 'dest' || value !== '') entry[name] = value;
  }
  return checkedOutput(entry);
}

export function checkedOutput(entry: Entry): Entry {
  if (!entry['type']) throw new Error('type is required for output');
  return entry;
}

/** Reads `type=provenance,mode=max`. */
export function parseAttest(text: string): Entry {
  const entry: Record<string, string> = {};
  for (const field of csvFields(text)) {
    const [key, value] = keyValue(field);
    const name = key.toLowerCase().trim();
    if (name === 'disabled') Object.assign(entry, disabling(value, `invalid value ${field}: `));
    else entry[name === 'type' ? name : key] = value;
  }
  if (!entry['type']) throw new Error('attestation type not specified');
  return entry;
}

/** The attribute that a boolean sets. */
export function disabling(value: string, problem = ''): Entry {
  const disabled = parseBoolean(value);
  if (disabled === undefined) throw new Error(problem + booleanError(value));
  return disabled ? { disabled: 'true' } : {};
}

/** What `--sbom` and `--provenance`, and compose files, say of an attestation: a boolean or its attributes. */
export function attestText(type: 'sbom' | 'provenance', text: string): string {
  const wanted = parseBoolean(text);
  return wanted === undefined ? `type=${type},${text}` : `type=${type},disabled=${!wanted}`;
}
