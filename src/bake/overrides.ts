import type { Entry } from './entries/entry.ts';
import {
  distinctAttests,
  distinctEntries,
  parseAttest,
  parseCacheEntries,
  parseOutput,
} from './entries/entry.ts';
import { parseBoolean } from './entries/fields.ts';
import { distinctSecrets, distinctSsh, parseSecret, parseSsh } from './entries/secret.ts';
import { namePattern } from './name-pattern.ts';
import type { Target, TargetAttributes } from './target.ts';

/** What `--set` says of one key of one target. */
interface Override {
  readonly value: string;
  /** Of keys that take several values. */
  readonly values: readonly string[];
  readonly appends: boolean;
}

/** Overrides by target and key. */
export type Overrides = ReadonlyMap<string, ReadonlyMap<string, Override>>;

/** Paths and entitlements that the command line itself named, and so allows. */
export interface Granted {
  readonly read: string[];
  readonly write: string[];
  readonly entitlements: string[];
}

const repeated = new Set([
  'output',
  'cache-to',
  'cache-from',
  'tags',
  'platform',
  'secrets',
  'ssh',
  'attest',
  'entitlements',
  'network',
  'annotations',
]);

/** Reads `--set pattern.key=value`. Throws errors with buildx's words. */
export function parseOverrides(
  texts: readonly string[],
  targets: readonly Target[],
  environment: (name: string) => string | undefined,
): Overrides {
  const result = new Map<string, Map<string, Override>>();
  for (const text of texts) {
    const { pattern, key, name, value, appends } = parseOverride(text);
    const given = value ?? environment(name ?? '');
    for (const target of matchTargets(pattern, targets)) {
      if (given === undefined) continue;
      const keys = result.get(target) ?? new Map<string, Override>();
      result.set(target, keys);
      const full = name === undefined ? key : `${key}.${name}`;
      const before = keys.get(full)?.values ?? [];
      keys.set(full, { value: given, values: repeated.has(key) ? [...before, given] : [], appends });
    }
  }
  return result;
}

interface ParsedOverride {
  readonly pattern: string;
  readonly key: string;
  readonly name: string | undefined;
  /** Missing for an argument of the environment. */
  readonly value: string | undefined;
  readonly appends: boolean;
}

function parseOverride(text: string): ParsedOverride {
  const equals = text.indexOf('=');
  const left = equals < 0 ? text : text.slice(0, equals);
  const value = equals < 0 ? undefined : text.slice(equals + 1);
  const appends = left.endsWith('+');
  const path = appends ? left.slice(0, -1) : left;
  const [pattern = '', key, ...rest] = path.split('.');
  if (key === undefined) throw new Error(`invalid override key ${path}, expected target.name`);
  if (value === undefined && key !== 'args') {
    throw new Error(`invalid override ${text}, expected target.name=value`);
  }
  const name = rest.length > 0 ? rest.join('.') : undefined;
  if ((key === 'args' || key === 'contexts') && name === undefined) {
    throw new Error(`invalid key ${left}, ${key} requires name`);
  }
  return { pattern, key, name, value, appends };
}

function matchTargets(pattern: string, targets: readonly Target[]): string[] {
  const names = targets.map(({ name }) => name);
  if (names.includes(pattern)) return [pattern];
  const expression = namePattern(pattern);
  if (!expression) throw new Error(`could not match targets with '${pattern}': syntax error in pattern`);
  const found = names.filter((name) => expression.test(name));
  if (found.length === 0) throw new Error(`could not find any target matching '${pattern}'`);
  return found;
}

type Mutable = { -readonly [K in keyof Target]: Target[K] };

/** A target with what the command line sets. Throws errors with buildx's words. */
export function applyOverrides(target: Target, overrides: Overrides, granted: Granted): Target {
  const result: Mutable = { ...target };
  for (const [path, override] of overrides.get(target.name) ?? []) {
    const at = path.indexOf('.');
    const [key, name] = at < 0 ? [path, undefined] : [path.slice(0, at), path.slice(at + 1)];
    const apply = keys[key];
    if (!apply) throw new Error(`unknown key: ${key}`);
    apply(result, override, name, granted);
  }
  return result;
}

type Apply = (target: Mutable, override: Override, name: string | undefined, granted: Granted) => void;

const text =
  (key: 'context' | 'dockerfile' | 'target' | 'call' | 'shm-size'): Apply =>
  (target, { value }) => {
    target[key] = value;
  };

const texts =
  (key: 'tags' | 'platforms' | 'no-cache-filter' | 'ulimits'): Apply =>
  (target, { values, appends }) => {
    target[key] = appends ? [...(target[key] ?? []), ...values] : values;
  };

const named =
  (key: 'args' | 'contexts' | 'labels' | 'extra-hosts', example: string): Apply =>
  (target, { value }, name) => {
    if (name === undefined) throw new Error(`invalid format for ${key}, expecting ${key}.<${example}>`);
    target[key] = { ...target[key], [name]: value };
  };

function booleanValue(key: string, value: string): boolean {
  const parsed = parseBoolean(value);
  if (parsed === undefined) throw new Error(`invalid value ${value} for boolean key ${key}`);
  return parsed;
}

const switched =
  (key: 'no-cache' | 'pull'): Apply =>
  (target, { value }) => {
    target[key] = booleanValue(key, value);
  };

/** The values that are not empty, each read by `parse`. */
function parsed<T>(values: readonly string[], parse: (text: string) => T, what: string): T[] {
  return values.flatMap((value) => {
    if (value === '') return [];
    try {
      return [parse(value)];
    } catch (error) {
      throw new Error(`invalid value for ${what}: ${error instanceof Error ? error.message : ''}`, {
        cause: error,
      });
    }
  });
}

const cache =
  (key: 'cache-from' | 'cache-to', attribute: 'src' | 'dest', access: 'read' | 'write'): Apply =>
  (target, { values, appends }, _name, granted) => {
    const entries = values.flatMap(parseCacheEntries);
    target[key] = appends ? distinctEntries([...(target[key] ?? []), ...entries]) : entries;
    for (const entry of target[key]) {
      const path = entry['type'] === 'local' ? entry[attribute] : undefined;
      if (path !== undefined) granted[access].push(path);
    }
  };

const keys: Readonly<Record<string, Apply>> = {
  context: text('context'),
  dockerfile: text('dockerfile'),
  target: text('target'),
  call: text('call'),
  'shm-size': text('shm-size'),
  args: named('args', 'name>=<value'),
  contexts: named('contexts', 'name>=<value'),
  labels: named('labels', 'name>=<value'),
  'extra-hosts': named('extra-hosts', 'hostname>=<ip'),
  tags: texts('tags'),
  platform: texts('platforms'),
  'no-cache-filter': texts('no-cache-filter'),
  ulimits: texts('ulimits'),
  network: (target) => {
    // Values of this key are collected, and only a single one is read: as in the reference it is set to nothing.
    target.network = '';
  },
  pull: switched('pull'),
  'no-cache': switched('no-cache'),
  'cache-from': cache('cache-from', 'src', 'read'),
  'cache-to': cache('cache-to', 'dest', 'write'),
  secrets: (target, { values, appends }, _name, granted) => {
    const secrets = parsed(values, parseSecret, 'outputs');
    target.secret = appends ? distinctSecrets([...(target.secret ?? []), ...secrets]) : secrets;
    granted.read.push(...target.secret.flatMap(({ src }) => src ?? []));
  },
  ssh: (target, { values, appends }, _name, granted) => {
    const access = parsed(values, parseSsh, 'outputs');
    target.ssh = appends ? distinctSsh([...(target.ssh ?? []), ...access]) : access;
    granted.read.push(...target.ssh.flatMap(({ paths }) => paths ?? []));
  },
  output: (target, { values, appends }, _name, granted) => {
    const outputs = parsed(values, parseOutput, 'outputs');
    target.output = appends ? distinctEntries([...(target.output ?? []), ...outputs]) : outputs;
    granted.write.push(...target.output.flatMap(({ dest }) => dest ?? []));
  },
  entitlements: (target, { values }, _name, granted) => {
    target.entitlements = [...(target.entitlements ?? []), ...values];
    granted.entitlements.push(...values);
  },
  annotations: (target, { values }) => {
    target.annotations = [...(target.annotations ?? []), ...values];
  },
  attest: (target, { values }) => {
    target.attest = distinctAttests([...(target.attest ?? []), ...parsed(values, parseAttest, 'attest')]);
  },
  push: (target, { value }) => {
    setOutput(target, withPush(target.output ?? [], booleanValue('push', value)));
  },
  load: (target, { value }) => {
    if (booleanValue('load', value)) setOutput(target, withLoad(target.output ?? []));
  },
};

function setOutput(target: Mutable, output: TargetAttributes['output']): void {
  if (output.length > 0 || target.output) target.output = output;
}

function withPush(outputs: readonly Entry[], push: boolean): readonly Entry[] {
  if (!push) {
    const kept = [...outputs];
    for (let at = 0; at < kept.length;) {
      const last = kept.at(-1);
      if (kept[at]?.['type'] !== 'registry' || !last) at += 1;
      else {
        // The last one takes its place: the order is the reference's.
        kept[at] = last;
        kept.pop();
      }
    }
    return kept.map((output) => (output['type'] === 'image' ? { ...output, push: 'false' } : output));
  }
  const pushed = outputs.map((output) => (output['type'] === 'image' ? { ...output, push: 'true' } : output));
  return outputs.every(({ type }) => type === 'docker')
    ? [...pushed, { type: 'image', push: 'true' }]
    : pushed;
}

/** Nothing is added where it is loaded already, or goes to something that is no image. */
function withLoad(outputs: readonly Entry[]): readonly Entry[] {
  const keeps = outputs.some(({ type = '', dest }) =>
    type === 'docker' ? dest === undefined : !['image', 'registry', 'oci'].includes(type),
  );
  return keeps ? outputs : [...outputs, { type: 'docker' }];
}
