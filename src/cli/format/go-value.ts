/**
 * How Go sees the values that templates work on. JSON objects stand for Go structs unless they were marked as
 * maps: the two print, compare and fail differently (`{{.Config.Labels.x}}` against `{{.Config.X}}`).
 */

/** A row of a list: named columns, computed when they are asked for, as methods are in Go. */
export class Row {
  readonly typeName: string;
  readonly columns: Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

  constructor(typeName: string, columns: Readonly<Record<string, (...args: readonly unknown[]) => unknown>>) {
    this.typeName = typeName;
    this.columns = columns;
  }

  /** What `{{json .}}` shows: every column without parameters, in order of name. */
  toJSON(): Record<string, unknown> {
    const json: Record<string, unknown> = {};
    for (const name of Object.keys(this.columns).sort(compareBytes)) {
      const column = this.columns[name];
      if (column?.length === 0) json[name] = column();
    }
    return json;
  }
}

/** A nil slice or map: prints as empty, but is `null` in JSON. A plain null stands for a nil pointer. */
export class Nil {
  readonly isMap: boolean;

  constructor(isMap: boolean) {
    this.isMap = isMap;
  }

  toJSON(): null {
    return null;
  }
}

/** A point in time, which Go prints in its own way and encodes as RFC 3339. */
export class Time {
  readonly text: string;

  /** `text` is RFC 3339. */
  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    const [, date = '', time = '', fraction = '', zone = 'Z'] =
      /^([\d-]+)T([\d:]+)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(this.text) ?? [];
    const offset = zone === 'Z' ? '+0000' : zone.replace(':', '');
    return `${date} ${time}${fraction.replace(/\.?0+$/, '')} ${offset} ${zone === 'Z' ? 'UTC' : offset}`;
  }

  toJSON(): string {
    return this.text;
  }
}

const nilSlice = new Nil(false);
const nilMap = new Nil(true);

/** The names of fields that are maps in Docker's Go types. */
const mapFields = new Set(
  (
    'Labels Ports Networks Options Volumes ExposedPorts PortBindings Sysctls Annotations Tmpfs DriverOpts ' +
    'StorageOpt Data Containers Attributes AuxiliaryAddresses annotations Status Runtimes IndexConfigs'
  ).split(' '),
);

/** The names of fields that are pointers, so that null is nil and not an empty list. */
const pointerFields = new Set(
  (
    'Health Healthcheck StopTimeout OomKillDisable PidsLimit MemorySwappiness Init IPAMConfig SizeRw SizeRootFs ' +
    'UsageData GraphDriver Config ContainerConfig HostConfig State NetworkSettings'
  ).split(' '),
);

/** Fields that the wire leaves out when they are empty, as templates see them then. */
const omitted: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(
    ['Health', 'Healthcheck', 'StopTimeout', 'Init', 'SizeRw', 'SizeRootFs', 'UsageData'].map((name) => [
      name,
      null,
    ]),
  ),
  ...Object.fromEntries(
    ['Annotations', 'Sysctls', 'Tmpfs', 'StorageOpt', 'ExposedPorts', 'Status'].map((name) => [name, nilMap]),
  ),
  ...Object.fromEntries(['Mounts', 'Shell', 'RepoTags', 'RepoDigests'].map((name) => [name, nilSlice])),
  ...Object.fromEntries(
    ['StopSignal', 'MacAddress', 'Author', 'Comment', 'Parent', 'Variant', 'User', 'WorkingDir'].map(
      (name) => [name, ''],
    ),
  ),
};

/** The zero value of a field that the wire left out; undefined for a name that is no field. */
export const findOmitted = (name: string): unknown =>
  Object.hasOwn(omitted, name) ? omitted[name] : undefined;

const maps = new WeakSet();

/** Marks the object as a Go map and returns it. */
export function asMap<T extends object>(value: T): T {
  maps.add(value);
  return value;
}

/** Gives a decoded JSON document, in place, the types that Docker declares: maps and nil slices. Returns it. */
export function typed(value: unknown, name = ''): unknown {
  if (value === null && name !== '')
    return pointerFields.has(name) ? null : mapFields.has(name) ? nilMap : nilSlice;
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) typed(item);
  } else if (isObject(value)) {
    if (isMapField(name, value)) maps.add(value);
    for (const [key, item] of Object.entries(value)) value[key] = typed(item, key);
    // Of all the times on the wire only this one is a time in Docker's types.
    if ('IPAM' in value && typeof value['Created'] === 'string')
      value['Created'] = new Time(value['Created']);
  }
  return value;
}

function isMapField(name: string, value: object): boolean {
  // Config is the whole configuration of a container or an image, but the options of a log driver.
  if (name === 'Config') return !('Cmd' in value || 'Image' in value || 'Env' in value);
  return mapFields.has(name);
}

/** A plain object: neither null, nor an array, nor a row. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Row || value instanceof Nil || value instanceof Time)
  );
}

export const isMap = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && maps.has(value);

/** Orders as Go does, by the bytes of the UTF-8 form. */
export function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export const sortedKeys = (value: object): string[] => Object.keys(value).sort(compareBytes);

/** Whether `{{if}}` takes the value for true. */
export function isTrue(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  if (value instanceof Nil) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  return typeof value === 'object' ? true : Boolean(value);
}

/** A float as Go's %v prints it: shortest digits, exponents below 1e-4 and from 1e21. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e21)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  return value.toString();
}

/** fmt's %v. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'string') return value;
  if (typeof value === 'number')
    return Number.isInteger(value) ? BigInt(value).toString() : formatFloat(value);
  if (Array.isArray(value)) return `[${value.map(formatValue).join(' ')}]`;
  if (value instanceof Nil) return value.isMap ? 'map[]' : '[]';
  if (value instanceof Time) return value.toString();
  if (value instanceof Row) return `{${Object.keys(value.columns).join(' ')}}`;
  if (isObject(value)) {
    if (maps.has(value)) {
      return `map[${sortedKeys(value)
        .map((key) => `${key}:${formatValue(value[key])}`)
        .join(' ')}]`;
    }
    return `{${Object.values(value).map(formatValue).join(' ')}}`;
  }
  // What is left is a boolean or a big integer.
  return `${value as boolean}`;
}

/** The name of the type in Go's error texts. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'nil';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (Array.isArray(value))
    return value.every((item) => typeof item === 'string') ? '[]string' : '[]interface {}';
  if (value instanceof Row) return value.typeName;
  return isMap(value) ? 'map[string]string' : 'map[string]interface {}';
}
