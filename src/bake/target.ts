import type { Entry } from './entries/entry.ts';
import { distinctAttests, distinctEntries } from './entries/entry.ts';
import type { Secret, SshAccess } from './entries/secret.ts';
import { distinctSecrets, distinctSsh } from './entries/secret.ts';

/** What each attribute of a target holds, by the attribute's name in bake files. */
export interface TargetAttributes {
  description: string;
  inherits: readonly string[];
  annotations: readonly string[];
  attest: readonly Entry[];
  context: string;
  contexts: Readonly<Record<string, string>>;
  dockerfile: string;
  'dockerfile-inline': string;
  args: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  tags: readonly string[];
  'cache-from': readonly Entry[];
  'cache-to': readonly Entry[];
  target: string;
  secret: readonly Secret[];
  ssh: readonly SshAccess[];
  platforms: readonly string[];
  output: readonly Entry[];
  pull: boolean;
  'no-cache': boolean;
  network: string;
  'no-cache-filter': readonly string[];
  'shm-size': string;
  ulimits: readonly string[];
  call: string;
  entitlements: readonly string[];
  'extra-hosts': Readonly<Record<string, string>>;
}

export type AttributeName = keyof TargetAttributes;

/** A target as far as it is defined. An empty list is a definition, and hides an inherited one. */
export interface Target extends Readonly<Partial<TargetAttributes>> {
  readonly name: string;
}

export interface Group {
  readonly name: string;
  readonly description?: string;
  readonly targets: readonly string[];
}

/** What bake files define. */
export interface Definitions {
  readonly groups: readonly Group[];
  readonly targets: readonly Target[];
}

/** Attributes in the order in which they are shown, with what their values are. */
export const attributeKinds = {
  description: 'text',
  inherits: 'texts',
  annotations: 'texts',
  attest: 'attests',
  context: 'text',
  contexts: 'map',
  dockerfile: 'text',
  'dockerfile-inline': 'text',
  args: 'map',
  labels: 'map',
  tags: 'texts',
  'cache-from': 'caches',
  'cache-to': 'caches',
  target: 'text',
  secret: 'secrets',
  ssh: 'ssh',
  platforms: 'texts',
  output: 'outputs',
  pull: 'bool',
  'no-cache': 'bool',
  network: 'text',
  'no-cache-filter': 'texts',
  'shm-size': 'text',
  ulimits: 'texts',
  call: 'text',
  entitlements: 'texts',
  'extra-hosts': 'map',
} as const satisfies Record<AttributeName, string>;

export const attributeNames = Object.keys(attributeKinds) as readonly AttributeName[];

const join = <T>(a: readonly T[] | undefined, b: readonly T[] | undefined): readonly T[] | undefined =>
  b === undefined ? a : [...(a ?? []), ...b];

/** What two definitions of a target make together: the second one counts, where they cannot stand side by side. */
export function mergeTargets(first: Target, second: Target): Target {
  const merged: Partial<TargetAttributes> = {
    ...first,
    ...Object.fromEntries(Object.entries(second).filter(([, value]) => value !== undefined)),
  };
  if (!second.description) Object.assign(merged, { description: first.description });
  for (const name of ['args', 'labels', 'contexts', 'extra-hosts'] as const) {
    if (first[name] || second[name]) merged[name] = { ...first[name], ...second[name] };
  }
  for (const name of ['annotations', 'no-cache-filter', 'ulimits', 'entitlements', 'inherits'] as const) {
    Object.assign(merged, { [name]: join(first[name], second[name]) });
  }
  const joined = {
    attest: join(first.attest, second.attest),
    secret: join(first.secret, second.secret),
    ssh: join(first.ssh, second.ssh),
    'cache-from': join(first['cache-from'], second['cache-from']),
  };
  Object.assign(merged, joined);
  return { ...withoutUndefined(merged), name: first.name };
}

const withoutUndefined = <T extends object>(value: T): Partial<T> =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Partial<T>;

const distinctTexts = (texts: readonly string[]): string[] =>
  [...new Set(texts)].filter((text) => text !== '');

/** Without doubles, and with what follows from other attributes. */
export function normalizeTarget(target: Target): Target {
  const result: Partial<TargetAttributes> = { ...target };
  for (const name of ['annotations', 'tags', 'platforms', 'no-cache-filter', 'ulimits'] as const) {
    const texts = target[name];
    if (texts) result[name] = distinctTexts(texts);
  }
  if (target.attest) result.attest = distinctAttests(target.attest);
  if (target.secret) result.secret = distinctSecrets(target.secret);
  if (target.ssh) result.ssh = distinctSsh(target.ssh);
  for (const name of ['cache-from', 'cache-to', 'output'] as const) {
    const entries = target[name];
    if (entries) result[name] = distinctEntries(entries);
  }
  const network = target.network === 'host' ? ['network.host'] : [];
  if (target.entitlements || network.length > 0) {
    result.entitlements = distinctTexts([...(target.entitlements ?? []), ...network]);
  }
  if (target.contexts) {
    result.contexts = Object.fromEntries(Object.entries(target.contexts).filter(([, value]) => value !== ''));
  }
  return { ...result, name: target.name };
}
