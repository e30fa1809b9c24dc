import { invalidArgument } from '#kernel';

/**
 * The Container Device Interface (CDI specification 0.8): files in which vendors describe what a container needs to
 * use a device, named `vendor.com/class=name`.
 */
export interface CdiSpec {
  /** `vendor.com/class` */
  readonly kind: string;
  /** Edits for every container that has at least one of the devices. */
  readonly edits: CdiEdits;
  readonly devices: ReadonlyMap<string, CdiEdits>;
}

export interface CdiEdits {
  /** `NAME=value` */
  readonly env: readonly string[];
  readonly deviceNodes: readonly CdiDeviceNode[];
  readonly mounts: readonly CdiMount[];
  readonly hooks: readonly CdiHook[];
  readonly additionalGids: readonly number[];
}

/** What is left out is as on the host. */
export interface CdiDeviceNode {
  readonly path: string;
  readonly hostPath: string;
  readonly type: 'b' | 'c' | 'u' | 'p' | undefined;
  readonly major: number | undefined;
  readonly minor: number | undefined;
  readonly fileMode: number | undefined;
  readonly permissions: string;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

export interface CdiMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** A hook of the OCI runtime (runtime-spec config.md, hooks). */
export interface CdiHook {
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** seconds */
  readonly timeout: number | undefined;
}

export const noEdits: CdiEdits = { env: [], deviceNodes: [], mounts: [], hooks: [], additionalGids: [] };

type Fields = Readonly<Record<string, unknown>>;

const kinds = /^[a-z][\w.-]*[a-z0-9]\/[a-z][\w-]*$/i;
const names = /^[a-z0-9]([\w.:-]*[a-z0-9])?$/i;
const hookNames = new Set(
  'prestart createRuntime createContainer startContainer poststart poststop'.split(' '),
);

/** Reads the content of a file, parsed from JSON or YAML. Throws invalidArgument that says what is wrong. */
export function parseCdiSpec(document: unknown): CdiSpec {
  const { cdiVersion, kind, containerEdits, devices } = fields(document, 'the file');
  if (typeof cdiVersion !== 'string' || !/^(0\.[3-9]\.|1\.0\.)\d+$/.test(cdiVersion))
    throw invalidArgument(`CDI version ${String(cdiVersion)} is not supported`);
  if (typeof kind !== 'string' || !kinds.test(kind))
    throw invalidArgument(`invalid CDI kind ${String(kind)}`);
  const parsed = new Map<string, CdiEdits>();
  for (const entry of items(devices, 'devices')) {
    const device = fields(entry, 'a device');
    const { name } = device;
    if (typeof name !== 'string' || !names.test(name))
      throw invalidArgument(`invalid CDI device name ${String(name)}`);
    if (parsed.has(name)) throw invalidArgument(`the CDI device ${name} is there twice`);
    parsed.set(name, parseEdits(device['containerEdits']));
  }
  return { kind, edits: parseEdits(containerEdits), devices: parsed };
}

function parseEdits(value: unknown): CdiEdits {
  if (value === undefined || value === null) return noEdits;
  const { env, deviceNodes, mounts, hooks, additionalGids, ...rest } = fields(value, 'containerEdits');
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw invalidArgument(`CDI edits of ${unknown} are not supported`);
  return {
    env: texts(env, 'env').map((entry) => {
      if (!entry.includes('=')) throw invalidArgument(`env: ${entry} is not NAME=value`);
      return entry;
    }),
    deviceNodes: items(deviceNodes, 'deviceNodes').map(parseNode),
    mounts: items(mounts, 'mounts').map(parseMount),
    hooks: items(hooks, 'hooks').map(parseHook),
    additionalGids: items(additionalGids, 'additionalGids')
      .map((gid) => number(gid, 'additionalGids') ?? 0)
      .filter((gid) => gid > 0),
  };
}

function parseNode(value: unknown): CdiDeviceNode {
  const node = fields(value, 'a device node');
  const path = absolute(node['path'], 'path');
  const type = text(node['type'], 'type');
  if (type !== undefined && type !== 'b' && type !== 'c' && type !== 'u' && type !== 'p')
    throw invalidArgument(`device ${path}: invalid type ${type}`);
  const permissions = text(node['permissions'], 'permissions') ?? 'rwm';
  if (!/^[rwm]+$/.test(permissions))
    throw invalidArgument(`device ${path}: invalid permissions ${permissions}`);
  const hostPath = text(node['hostPath'], 'hostPath');
  return {
    path,
    hostPath: hostPath === undefined ? path : absolute(hostPath, 'hostPath'),
    type,
    major: number(node['major'], 'major'),
    minor: number(node['minor'], 'minor'),
    fileMode: number(node['fileMode'], 'fileMode'),
    permissions,
    uid: number(node['uid'], 'uid'),
    gid: number(node['gid'], 'gid'),
  };
}

function parseMount(value: unknown): CdiMount {
  const mount = fields(value, 'a mount');
  const options = texts(mount['options'], 'options');
  const type = text(mount['type'], 'type') ?? 'bind';
  const binds = options.some((option) => option === 'bind' || option === 'rbind');
  return {
    hostPath: required(mount['hostPath'], 'hostPath'),
    containerPath: absolute(mount['containerPath'], 'containerPath'),
    type,
    options: type !== 'bind' || binds ? options : ['rbind', ...options],
  };
}

function parseHook(value: unknown): CdiHook {
  const hook = fields(value, 'a hook');
  const name = required(hook['hookName'], 'hookName');
  if (!hookNames.has(name)) throw invalidArgument(`invalid hook ${name}`);
  return {
    name,
    path: absolute(hook['path'], 'path'),
    args: texts(hook['args'], 'args'),
    env: texts(hook['env'], 'env'),
    timeout: number(hook['timeout'], 'timeout'),
  };
}

function fields(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields; // as just found
  throw invalidArgument(`${what} is not an object`);
}

function items(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw invalidArgument(`${what} is not a list`);
}

function text(value: unknown, what: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw invalidArgument(`${what} is not a text`);
}

function required(value: unknown, what: string): string {
  const found = text(value, what);
  if (found === undefined) throw invalidArgument(`${what} is missing`);
  return found;
}

function absolute(value: unknown, what: string): string {
  const path = required(value, what);
  if (!path.startsWith('/')) throw invalidArgument(`${what}: ${path} is not an absolute path`);
  return path;
}

const texts = (value: unknown, what: string): readonly string[] =>
  items(value, what).map((item) => required(item, what));

function number(value: unknown, what: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw invalidArgument(`${what} is not a whole number`);
}
