import { commaFields } from './comma-fields.ts';
import { parseBoolean, quoted } from './go-text.ts';
import type { DeviceRequest } from './instruction.ts';
import { DockerfileError } from './location.ts';
import { withSuggestion } from './suggestion.ts';

export const cacheSharingModes = ['shared', 'private', 'locked'] as const;
export type CacheSharing = (typeof cacheSharingModes)[number];
const mountTypes = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const;
type MountType = (typeof mountTypes)[number];

/** `RUN --mount=…` as written, variables expanded; what is left out is '' or undefined. */
export interface RunMount {
  readonly type: MountType;
  readonly from: string;
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** Bytes of a tmpfs; 0 for no bound. */
  readonly size: number;
  readonly id: string;
  readonly sharing: CacheSharing | undefined;
  readonly required: boolean;
  /** The variable that a secret is put in. */
  readonly env: string | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

type Draft = { -readonly [K in keyof RunMount]: RunMount[K] } & { readOnlyGiven: boolean };

const keys = [
  'type from source target readonly id sharing required size mode uid gid',
  'src dst destination ro rw readwrite env',
].flatMap((names) => names.split(' '));

const invalid = (key: string, value: string): DockerfileError =>
  new DockerfileError(`invalid value for ${key}: ${value}`);

function boolean(key: string, value: string): boolean {
  const read = parseBoolean(value);
  if (read === undefined) throw invalid(key, value);
  return read;
}

function number(key: string, value: string, radix: 8 | 10): number {
  const digits = radix === 8 ? /^[0-7]+$/ : /^\d+$/;
  const read = digits.test(value) ? parseInt(value, radix) : NaN;
  if (!(read < 2 ** 32)) throw new DockerfileError(`invalid value ${value} for ${key}`);
  return read;
}

const unitSteps = 'kmgtp';

/** `64m`, `1.5GiB`, `100` in bytes, units in powers of 1024; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d*)?|\.\d+) ?([kmgtp]?)i?b?$/i.exec(text) ?? [];
  if (amount === undefined) return undefined;
  const step = unit === '' ? 0 : unitSteps.indexOf(unit.toLowerCase()) + 1;
  return Math.trunc(Number(amount) * 1024 ** step);
}

function choice<T extends string>(value: string, choices: readonly T[], what: string): T {
  const found = choices.find((one) => one === value.toLowerCase());
  if (found) return found;
  const message = `unsupported ${what} ${quoted(value)}`;
  throw new DockerfileError(withSuggestion(message, value, choices, { caseSensitive: true }));
}

const unexpected = (key: string, { type }: Draft): DockerfileError =>
  new DockerfileError(`unexpected key '${key}' for mount type '${type}'`);

function size(draft: Draft, value: string): void {
  if (draft.type !== 'tmpfs') throw unexpected('size', draft);
  const bytes = parseSize(value);
  if (bytes === undefined) throw invalid('size', value);
  draft.size = bytes;
}

function require(draft: Draft, value: boolean): void {
  if (draft.type !== 'secret' && draft.type !== 'ssh') throw unexpected('required', draft);
  draft.required = value;
}

function setReadOnly(draft: Draft, value: boolean): void {
  draft.readOnly = value;
  draft.readOnlyGiven = true;
}

const setters: Readonly<Record<string, (draft: Draft, value: string, key: string) => void>> = {
  type: (draft, value) => (draft.type = choice(value, mountTypes, 'mount type')),
  from: (draft, value) => (draft.from = value),
  source: (draft, value) => (draft.source = value),
  src: (draft, value) => (draft.source = value),
  target: (draft, value) => (draft.target = value),
  dst: (draft, value) => (draft.target = value),
  destination: (draft, value) => (draft.target = value),
  readonly: (draft, value, key) => setReadOnly(draft, boolean(key, value)),
  ro: (draft, value, key) => setReadOnly(draft, boolean(key, value)),
  readwrite: (draft, value, key) => setReadOnly(draft, !boolean(key, value)),
  rw: (draft, value, key) => setReadOnly(draft, !boolean(key, value)),
  required: (draft, value, key) => {
    if (draft.type !== 'secret' && draft.type !== 'ssh') throw unexpected(key, draft);
    require(draft, boolean(key, value));
  },
  size,
  id: (draft, value) => (draft.id = value),
  sharing: (draft, value) => (draft.sharing = choice(value, cacheSharingModes, 'sharing value')),
  mode: (draft, value, key) => (draft.mode = number(key, value, 8)),
  uid: (draft, value, key) => (draft.uid = number(key, value, 10)),
  gid: (draft, value, key) => (draft.gid = number(key, value, 10)),
  env: (draft, value) => (draft.env = value),
};

const switches: Readonly<Record<string, (draft: Draft) => void>> = {
  readonly: (draft) => setReadOnly(draft, true),
  ro: (draft) => setReadOnly(draft, true),
  readwrite: (draft) => setReadOnly(draft, false),
  rw: (draft) => setReadOnly(draft, false),
  required: (draft) => require(draft, true),
};

function checkMount(draft: Draft): void {
  const { type } = draft;
  if (type === 'bind' || type === 'tmpfs') {
    for (const key of ['mode', 'uid', 'gid'] as const) {
      if (draft[key] !== undefined) throw new DockerfileError(`${key} not allowed for "${type}" type mounts`);
    }
  }
  if (type === 'secret') {
    if (draft.from !== '') throw new DockerfileError('secret mount should not have a from');
    if (draft.sharing) throw new DockerfileError('secret mount should not define sharing');
    if (draft.source + draft.target + draft.id === '') {
      throw new DockerfileError('invalid secret mount. one of source, target required');
    }
    if (draft.source !== '' && draft.id !== '') {
      throw new DockerfileError("both source and id can't be set");
    }
  }
  if (draft.sharing && type !== 'cache') {
    throw new DockerfileError(`invalid cache sharing set for ${type} mount`);
  }
}

const split = (field: string): [string, string | undefined] => {
  const at = field.indexOf('=');
  return at === -1
    ? [field.toLowerCase(), undefined]
    : [field.slice(0, at).toLowerCase(), field.slice(at + 1)];
};

/** Reads a --mount value; `expand` is applied to each part's value. */
export function parseRunMount(text: string, expand: (value: string) => string): RunMount {
  const draft: Draft = {
    ...{ type: 'bind', from: '', source: '', target: '', readOnly: false, size: 0, id: '' },
    ...{ sharing: undefined, required: false, env: undefined, mode: undefined, uid: undefined },
    ...{ gid: undefined, readOnlyGiven: false },
  };
  for (const field of commaFields(text, 'mounts')) {
    const [key, value] = split(field);
    if (value === undefined) {
      const turn = Object.hasOwn(switches, key) ? switches[key] : undefined;
      if (!turn) throw new DockerfileError(`invalid field '${field}' must be a key=value pair`);
      turn(draft);
      continue;
    }
    const expanded = expand(value);
    const set = Object.hasOwn(setters, key) ? setters[key] : undefined;
    if (!set) {
      const message = `unexpected key '${key}' in '${field}'`;
      throw new DockerfileError(withSuggestion(message, key, keys, { caseSensitive: true }));
    }
    set(draft, expanded, key);
  }
  checkMount(draft);
  const { readOnlyGiven, ...mount } = draft;
  const writable = mount.type === 'cache' || mount.type === 'tmpfs';
  return { ...mount, readOnly: readOnlyGiven ? mount.readOnly : !writable };
}

/** Where a mount comes from, which must be known before variables are; '' for the build context or nothing. */
export function mountOrigin(text: string): string {
  let origin = '';
  for (const field of commaFields(text, 'mounts')) {
    const [key, value] = split(field);
    if (key !== 'from' || value === undefined) continue;
    const dollar = value.indexOf('$');
    if (dollar !== -1 && dollar !== value.length - 1) {
      throw new DockerfileError(`'from' doesn't support variable expansion, define alias stage instead`);
    }
    origin = value;
  }
  return origin;
}

/** `--device=vendor/class=name,required` */
export function parseDevice(text: string): DeviceRequest {
  let name = '';
  let required = false;
  for (const field of commaFields(text, 'devices')) {
    const [key, value] = split(field);
    if (key === 'required') required = value === undefined ? true : boolean(key, value);
    else if (key === 'name' && value !== undefined) {
      if (name !== '') throw new DockerfileError(`device name already set to ${name}`);
      name = value;
    } else if (name === '') name = field;
    else if (value === undefined)
      throw new DockerfileError(`invalid field '${field}' must be a key=value pair`);
    else {
      const message = `unexpected key '${key}' in '${field}'`;
      throw new DockerfileError(withSuggestion(message, key, ['name', 'required'], { caseSensitive: true }));
    }
  }
  return { name, required };
}
