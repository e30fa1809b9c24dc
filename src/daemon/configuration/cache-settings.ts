import { pruneUnused, type GcSettings, type PruneRules } from '#build';
import { invalidArgument } from '#kernel';
import type { SettingsReader } from './settings-reader.ts';

type Fields = ReadonlyMap<string, unknown>;

/** Go reads the names of fields in any case. */
const fieldsOf = (object: object): Fields =>
  new Map(Object.entries(object).map(([name, value]: [string, unknown]) => [name.toLowerCase(), value]));

const wrong = (what: string, value: unknown): Error =>
  invalidArgument(`invalid builder gc: ${what} cannot be ${JSON.stringify(value)}`);

/** What is removed of the build cache by itself: `builder.gc`, in its older words too. Throws invalidArgument. */
export function cacheSettings(read: SettingsReader): GcSettings {
  const given = fieldsOf(read.pairs('builderGc'));
  refuseUnknown(given, [
    ...['enabled', 'policy', 'defaultkeepstorage'],
    ...['defaultreservedspace', 'defaultmaxusedspace', 'defaultminfreespace'],
  ]);
  const enabled = given.get('enabled') ?? 'true';
  if (enabled !== 'true' && enabled !== 'false') throw wrong('enabled', enabled);
  const policy = given.get('policy');
  return {
    isEnabled: enabled === 'true',
    policy: typeof policy === 'string' && policy !== 'null' ? policyOf(policy) : undefined,
    reservedSpace: bytesOf(given, 'defaultReservedSpace') || bytesOf(given, 'defaultKeepStorage'),
    maxUsedSpace: bytesOf(given, 'defaultMaxUsedSpace'),
    minFreeSpace: bytesOf(given, 'defaultMinFreeSpace'),
  };
}

function policyOf(text: string): readonly PruneRules[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw invalidArgument(`invalid builder gc: policy is no JSON: ${text}`, error);
  }
  if (!Array.isArray(list)) throw wrong('policy', list);
  return list.map((rule: unknown) => {
    if (typeof rule !== 'object' || rule === null) throw wrong('policy', rule);
    return ruleOf(fieldsOf(rule));
  });
}

function ruleOf(rule: Fields): PruneRules {
  refuseUnknown(rule, ['all', 'filter', 'keepstorage', 'reservedspace', 'maxusedspace', 'minfreespace']);
  const all = rule.get('all') ?? false;
  if (typeof all !== 'boolean') throw wrong('all', all);
  return {
    ...pruneUnused,
    ...filterOf(rule.get('filter') ?? []),
    all,
    reservedSpace: bytesOf(rule, 'reservedSpace') || bytesOf(rule, 'keepStorage'),
    maxUsedSpace: bytesOf(rule, 'maxUsedSpace'),
    minFreeSpace: bytesOf(rule, 'minFreeSpace'),
  };
}

/** `["unused-for=48h", "type=exec.cachemount"]`, or the same as an object of lists or sets. */
function filterOf(filter: unknown): Pick<PruneRules, 'filters' | 'keepDuration'> {
  let keepDuration = 0n;
  const conditions: string[] = [];
  for (const text of filterTexts(filter)) {
    const [, name = '', value] = /^\s*([^=]*?)\s*(?:=\s*(.*?)\s*)?$/.exec(text) ?? [];
    const key = name.toLowerCase();
    if (key === 'unused-for' || key === 'until') keepDuration = durationOf(key, value ?? '');
    else if (!fields.includes(key)) throw wrong('filter', text);
    else if (value === undefined) conditions.push(key);
    else conditions.push(`${key}${key === 'id' ? '~=' : '=='}${value}`);
  }
  return { filters: [conditions.join(',')], keepDuration };
}

/** Fields of records that a filter may name. */
const fields = ['id', 'parent', 'type', 'description', 'inuse', 'shared', 'private'];

function filterTexts(filter: unknown): readonly string[] {
  if (Array.isArray(filter)) return filter.map(String);
  if (typeof filter !== 'object' || filter === null) throw wrong('filter', filter);
  return Object.entries(filter).flatMap(([name, values]: [string, unknown]) => {
    const list: readonly unknown[] = Array.isArray(values) ? values : Object.keys(values ?? {});
    return list.map((value) => `${name}=${String(value)}`);
  });
}

const nanos: Readonly<Record<string, number>> = { ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

function durationOf(name: string, text: string): bigint {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) throw wrong(name, text);
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  return parts.reduce(
    (sum, [, n, unit]) => sum + BigInt(Math.round(Number(n) * (nanos[unit ?? 's'] ?? 0))),
    0n,
  );
}

/** `20GB`, `512m`: powers of 1024, as Docker reads sizes in its configuration; 0 where nothing is said. */
function bytesOf(given: Fields, name: string): number {
  const value = given.get(name.toLowerCase());
  if (value === undefined || value === '' || value === null) return 0;
  const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(value) : undefined;
  if (!match) throw wrong(name, value);
  const power = ['', 'k', 'm', 'g', 't', 'p'].indexOf((match[2] ?? '').toLowerCase());
  return Math.round(Number(match[1]) * 1024 ** power);
}

function refuseUnknown(given: Fields, known: readonly string[]): void {
  const unknown = [...given.keys()].filter((name) => !known.includes(name));
  if (unknown.length > 0) throw invalidArgument(`invalid builder gc: unknown field ${unknown.join(', ')}`);
}
