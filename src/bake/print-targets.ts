import { jsonString } from '#hcl';
import type { Entry } from './entries/entry.ts';
import type { Group, Target, TargetAttributes } from './target.ts';
import { attributeNames } from './target.ts';

/** `${` and `%{` would be read again. */
const escapeTemplates = (text: string): string => text.replace(/[$%](?=\{)/g, (sign) => sign + sign);

const sortedRecord = <T>(record: Readonly<Record<string, T>>, change: (value: T) => unknown): unknown =>
  Object.fromEntries(
    Object.entries(record)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, change(value)]),
  );

const attest = (entry: Entry): unknown =>
  sortedRecord<string | boolean>(
    { ...entry, ...(entry['disabled'] !== undefined && { disabled: true }) },
    (value) => value,
  );
const plain = (entry: Entry): unknown => sortedRecord(entry, (value) => value);

/** A target as a bake file of JSON defines it. */
function describeTarget(target: Target): Readonly<Record<string, unknown>> {
  const shown: Partial<Record<keyof TargetAttributes, unknown>> = {
    ...target,
    ...(target.attest && { attest: target.attest.map(attest) }),
    ...(target.contexts && { contexts: sortedRecord(target.contexts, (value) => value) }),
    ...(target.annotations && { annotations: target.annotations.map(escapeTemplates) }),
    ...(target['dockerfile-inline'] !== undefined && {
      'dockerfile-inline': escapeTemplates(target['dockerfile-inline']),
    }),
  };
  for (const name of ['args', 'labels', 'extra-hosts'] as const) {
    const record = target[name];
    if (record) shown[name] = sortedRecord(record, escapeTemplates);
  }
  for (const name of ['cache-from', 'cache-to', 'output'] as const) shown[name] = target[name]?.map(plain);
  return Object.fromEntries(
    attributeNames.filter((name) => !isEmpty(shown[name], name)).map((name) => [name, shown[name]]),
  );
}

/** A text that is empty is a definition, but for the description. */
function isEmpty(value: unknown, name: string): boolean {
  if (value === undefined || (value === '' && name === 'description')) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** What `--print` shows. */
export const printTargets = (
  targets: ReadonlyMap<string, Target>,
  groups: ReadonlyMap<string, Group>,
): string =>
  print(
    groups,
    sortedEntries(targets).map(([name, target]) => [name, describeTarget(target)]),
  );

/** What was asked about targets and answered, with their definitions. */
export const printAnswers = (
  targets: ReadonlyMap<string, Target>,
  groups: ReadonlyMap<string, Group>,
  answers: ReadonlyMap<string, object>,
): string =>
  print(
    groups,
    sortedEntries(targets).map(([name, target]) => [
      name,
      { build: describeTarget(target), ...answers.get(name) },
    ]),
  );

function print(groups: ReadonlyMap<string, Group>, targets: readonly (readonly [string, unknown])[]): string {
  const shown = sortedEntries(groups).map(([name, group]) => [name, describeGroup(group)] as const);
  return formatJson({
    ...(shown.length > 0 && { group: Object.fromEntries(shown) }),
    target: Object.fromEntries(targets),
  });
}

const describeGroup = ({ description, targets }: Group): unknown => ({
  ...(description && { description }),
  targets,
});

const sortedEntries = <T>(map: ReadonlyMap<string, T>): [string, T][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1));

/** JSON as Go indents it. */
export function formatJson(value: unknown, indent = ''): string {
  const inner = `${indent}  `;
  if (typeof value === 'string') return jsonString(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[\n${value.map((item) => inner + formatJson(item, inner)).join(',\n')}\n${indent}]`;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return '{}';
  return `{\n${entries.map(([key, item]) => `${inner}${jsonString(key)}: ${formatJson(item, inner)}`).join(',\n')}\n${indent}}`;
}
