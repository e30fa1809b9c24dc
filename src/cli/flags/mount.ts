import { resolve } from 'node:path';
import type { Mount, MountType } from '#api/types';
import { parseBinarySize } from '../format/units.ts';
import { splitCsv } from './csv.ts';
import type { Flag } from './flag.ts';
import { parseBool } from './flag.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Draft {
  type: string;
  source?: string;
  target?: string;
  readOnly?: boolean;
  consistency?: string;
  readonly bind: Mutable<NonNullable<Mount['BindOptions']>>;
  readonly volume: {
    NoCopy?: boolean;
    Subpath?: string;
    labels: Record<string, string>;
    driver?: string;
    options: Record<string, string>;
  };
  readonly image: { Subpath?: string };
  readonly tmpfs: { SizeBytes?: number; Mode?: number };
}

/** `--mount type=…,src=…,dst=…`: docker's CSV of fields. */
export const mounts = (usage: string): Flag<readonly Mount[]> => ({
  type: 'mount',
  usage,
  initial: [],
  shown: '',
  parse: (text, before) => [...before, parseMount(text)],
});

/** Reads the text of one --mount. Throws Docker's texts. */
export function parseMount(text: string): Mount {
  const draft: Draft = {
    type: 'volume',
    bind: {},
    volume: { labels: {}, options: {} },
    image: {},
    tmpfs: {},
  };
  for (const field of splitCsv(text)) readField(draft, field);
  if (draft.type === '') throw new Error('type is required');
  if (draft.target === undefined || draft.target === '') throw new Error('target is required');
  checkOptions(draft);
  return finish(draft, draft.target);
}

const lone = new Set(['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive']);

function readField(draft: Draft, field: string): void {
  const at = field.indexOf('=');
  const key = (at < 0 ? field : field.slice(0, at)).toLowerCase();
  if (at < 0 && !lone.has(key)) throw new Error(`invalid field '${field}' must be a key=value pair`);
  const value = at < 0 ? 'true' : field.slice(at + 1);
  const set = fields[key];
  if (!set) throw new Error(`unexpected key '${key}' in '${field}'`);
  set(draft, value, key);
}

const truth = (key: string, value: string): boolean => {
  try {
    return parseBool(value);
  } catch {
    throw new Error(`invalid value for ${key}: ${value}`);
  }
};

function pair(into: Record<string, string>, text: string): void {
  const [name = '', ...value] = text.split('=');
  into[name] = value.join('=');
}

const source = (draft: Draft, value: string): void => {
  // Relative sources are only meant for binds, but the type may come later.
  draft.source = value === '.' || value === '..' || /^\.\.?\//.test(value) ? resolve(value) : value;
};
const target = (draft: Draft, value: string): void => void (draft.target = value);
const readOnly = (draft: Draft, value: string, key: string): void =>
  void (draft.readOnly = truth(key, value));

const fields: Readonly<Record<string, (draft: Draft, value: string, key: string) => void>> = {
  type: (draft, value) => (draft.type = value.toLowerCase()),
  source,
  src: source,
  target,
  dst: target,
  destination: target,
  readonly: readOnly,
  ro: readOnly,
  consistency: (draft, value) => (draft.consistency = value.toLowerCase()),
  'bind-propagation': (draft, value) =>
    // The engine judges which words exist.
    (draft.bind.Propagation = value.toLowerCase() as NonNullable<Mount['BindOptions']>['Propagation'] &
      string),
  'bind-nonrecursive': (draft, value, key) => (draft.bind.NonRecursive = truth(key, value)),
  'bind-recursive': (draft, value) => recursive(draft, value),
  'volume-subpath': (draft, value) => (draft.volume.Subpath = value),
  'volume-nocopy': (draft, value) => (draft.volume.NoCopy = truth('volume-nocopy', value)),
  'volume-label': (draft, value) => pair(draft.volume.labels, value),
  'volume-driver': (draft, value) => (draft.volume.driver = value),
  'volume-opt': (draft, value) => pair(draft.volume.options, value),
  'image-subpath': (draft, value) => (draft.image.Subpath = value),
  'tmpfs-size': (draft, value) => {
    try {
      draft.tmpfs.SizeBytes = parseBinarySize(value);
    } catch {
      throw new Error(`invalid value for tmpfs-size: ${value}`);
    }
  },
  'tmpfs-mode': (draft, value) => {
    if (!/^[0-7]+$/.test(value)) throw new Error(`invalid value for tmpfs-mode: ${value}`);
    draft.tmpfs.Mode = parseInt(value, 8);
  },
};

function recursive(draft: Draft, value: string): void {
  switch (value) {
    case 'enabled':
      return;
    case 'disabled':
      draft.bind.NonRecursive = true;
      return;
    case 'writable':
      draft.bind.ReadOnlyNonRecursive = true;
      return;
    case 'readonly':
      draft.bind.ReadOnlyForceRecursive = true;
      return;
    default:
      throw new Error(
        `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
      );
  }
}

function checkOptions(draft: Draft): void {
  const { type, bind, volume, image, tmpfs, readOnly: isReadOnly } = draft;
  const given = {
    bind: Object.keys(bind).length > 0,
    volume:
      volume.NoCopy !== undefined ||
      volume.Subpath !== undefined ||
      volume.driver !== undefined ||
      Object.keys(volume.labels).length + Object.keys(volume.options).length > 0,
    image: Object.keys(image).length > 0,
    tmpfs: Object.keys(tmpfs).length > 0,
  };
  for (const kind of ['volume', 'image', 'bind', 'tmpfs'] as const) {
    if (given[kind] && type !== kind)
      throw new Error(`cannot mix '${kind}-*' options with mount type '${type}'`);
  }
  if (bind.ReadOnlyNonRecursive && !isReadOnly)
    throw new Error("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction");
  if (!bind.ReadOnlyForceRecursive) return;
  if (!isReadOnly)
    throw new Error("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction");
  if (bind.Propagation !== 'rprivate') {
    throw new Error(
      "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
    );
  }
}

function finish(draft: Draft, path: string): Mount {
  const { bind, volume, image, tmpfs } = draft;
  const { labels, driver, options, ...volumeRest } = volume;
  const hasDriver = driver !== undefined || Object.keys(options).length > 0;
  const volumeOptions = {
    ...volumeRest,
    ...(Object.keys(labels).length > 0 && { Labels: labels }),
    ...(hasDriver && {
      DriverConfig: {
        ...(driver !== undefined && { Name: driver }),
        ...(Object.keys(options).length > 0 && { Options: options }),
      },
    }),
  };
  const filled = (value: object): boolean => Object.keys(value).length > 0;
  return {
    // Unknown types are left to the engine, which refuses them with its list.
    Type: draft.type as MountType,
    ...(draft.source !== undefined && { Source: draft.source }),
    Target: path,
    ...(draft.readOnly && { ReadOnly: true }),
    ...(draft.consistency !== undefined && { Consistency: draft.consistency }),
    ...(filled(bind) && { BindOptions: bind }),
    ...(filled(volumeOptions) && { VolumeOptions: volumeOptions }),
    ...(filled(image) && { ImageOptions: image }),
    ...(filled(tmpfs) && { TmpfsOptions: tmpfs }),
  };
}
