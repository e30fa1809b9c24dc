import { closeSync, constants, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { bind, check, SystemError } from './libc.ts';
import { oPath } from './openat2.ts';

/** Flags of mount(2) by the names mount(8) gives them. */
export const mountFlags = {
  readonly: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  remount: 32,
  dirsync: 128,
  noatime: 1024,
  nodiratime: 2048,
  bind: 4096,
  move: 8192,
  recursive: 16384,
  silent: 32768,
  unbindable: 1 << 17,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
  relatime: 1 << 21,
  strictatime: 1 << 24,
} as const;

const lazyUnmount = 2;
const noFollow = 8;

/** The most layers of one overlay mount that are allowed, as in Docker. */
export const maxOverlayLayers = 128;

type Text = string | null;
const mountCall = bind<(source: Text, target: string, type: Text, flags: number, data: Text) => number>(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
);
const umountCall = bind<(target: string, flags: number) => number>(
  'int umount2(const char *target, int flags)',
);

export interface MountSpec {
  readonly source?: string;
  readonly target: string;
  readonly type?: string;
  /** A sum of `mountFlags`. */
  readonly flags?: number;
  /** File-system options, comma separated; at most one page. */
  readonly data?: string;
}

/** mount(2). Throws SystemError. */
export function mount(spec: MountSpec): void {
  const { source = null, target, type = null, flags = 0, data = null } = spec;
  check(mountCall(source, target, type, flags, data), 'mount', `${type ?? source ?? ''} on ${target}`);
}

/** umount2(2), never through a symbolic link. Lazy detaches at once and lets users of the mount finish. Throws SystemError. */
export function unmount(target: string, options: { lazy?: boolean } = {}): void {
  check(umountCall(target, noFollow | (options.lazy ? lazyUnmount : 0)), 'umount2', target);
}

type Done = (error: unknown, result: number) => void;
const umountAsync = (target: string, flags: number): Promise<number> =>
  new Promise((resolve, reject) => {
    // koffi's asynchronous form takes a callback behind the arguments.
    const { async } = umountCall as unknown as { async: (target: string, flags: number, done: Done) => void };
    async(target, flags, (error, result) => {
      if (error instanceof Error) reject(error);
      else resolve(result);
    });
  });

/**
 * Like unmountIfMounted() with `lazy`, on another thread: the last unmount of an overlay flushes the whole file system
 * that its upper folder is on, which takes 15 ms and more.
 */
export async function unmountInBackground(target: string): Promise<void> {
  // errno belongs to the other thread: what went wrong, if anything did, is found out by trying again here.
  if ((await umountAsync(target, noFollow | lazyUnmount)) !== 0) unmountIfMounted(target, { lazy: true });
}

/** Unmounts if something is mounted there; a path that is missing or not a mount point is no error. */
export function unmountIfMounted(target: string, options: { lazy?: boolean } = {}): void {
  try {
    unmount(target, options);
  } catch (error) {
    if (!(error instanceof SystemError) || (error.code !== 'EINVAL' && error.code !== 'ENOENT')) throw error;
  }
}

/** Shows `source` at `target` too; recursive takes the mounts below it along. A read-only bind takes a second call. */
export function bindMount(
  source: string,
  target: string,
  options: { readonly?: boolean; recursive?: boolean } = {},
): void {
  const recursive = options.recursive ? mountFlags.recursive : 0;
  mount({ source, target, flags: mountFlags.bind | recursive });
  if (!options.readonly) return;
  try {
    mount({ target, flags: mountFlags.bind | mountFlags.remount | mountFlags.readonly });
  } catch (error) {
    unmount(target, { lazy: true });
    throw error;
  }
}

/** Makes `path` a mount point of its own that propagates nothing in either direction; idempotent. */
export function makePrivate(path: string): void {
  try {
    mount({ target: path, flags: mountFlags.private });
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'EINVAL') throw error;
    bindMount(path, path);
    mount({ target: path, flags: mountFlags.private });
  }
}

/**
 * Undoes makePrivate(): lazily takes away the bind of a folder on itself. What was mounted there before, such as a
 * disk of its own, stays.
 */
export function unmakePrivate(path: string): void {
  const mounts = listMounts();
  const own = mounts.findLast((entry) => entry.target === path);
  const parent = mounts.find((entry) => entry.id === own?.parent);
  if (!own || parent?.device !== own.device) return;
  const shown = join(parent.root, relative(parent.target, own.target));
  if (own.root === shown) unmountIfMounted(path, { lazy: true });
}

export interface TmpfsOptions {
  /** Options of tmpfs(5), such as `size=64m,mode=1777`. */
  readonly data?: string;
  /** A sum of `mountFlags`; nosuid, nodev and noexec without it. */
  readonly flags?: number;
}

export function mountTmpfs(target: string, options: TmpfsOptions = {}): void {
  const { flags = mountFlags.nosuid | mountFlags.nodev | mountFlags.noexec, data } = options;
  mount({ source: 'tmpfs', target, type: 'tmpfs', flags, ...(data === undefined ? {} : { data }) });
}

export interface OverlaySpec {
  /** Folders from the top layer to the base; at least one with `upper`, two without. */
  readonly lower: readonly string[];
  readonly upper?: string;
  /** An empty folder on upper's file system; required with `upper`. */
  readonly work?: string;
  readonly target: string;
  readonly readonly?: boolean;
  /**
   * Nothing written need survive a crash of the host: nothing is ever flushed. Ignored where the kernel does not know it
   * (before 5.10).
   */
  readonly volatile?: boolean;
}

/**
 * Mounts an overlay. Layers are passed as descriptors, since the option string ends at one page; features that
 * would make the upper folder less than a full diff are off whatever the host's defaults. Throws RangeError for
 * too many layers, SystemError otherwise.
 */
export function mountOverlay(spec: OverlaySpec): void {
  if (spec.lower.length > maxOverlayLayers) {
    throw new RangeError(
      `cannot mount ${spec.lower.length} layers on ${spec.target}: the limit is ${maxOverlayLayers} layers`,
    );
  }
  if (spec.lower.length === 1 && spec.upper === undefined && spec.lower[0] !== undefined) {
    bindMount(spec.lower[0], spec.target, { readonly: true });
    return;
  }
  const open: number[] = [];
  const viaFd = (path: string): string => {
    const fd = openSync(path, oPath | constants.O_DIRECTORY);
    open.push(fd);
    return `/proc/self/fd/${fd}`;
  };
  try {
    const folders = [`lowerdir=${spec.lower.map(viaFd).join(':')}`];
    if (spec.upper !== undefined) folders.push(`upperdir=${viaFd(spec.upper)}`);
    if (spec.work !== undefined) folders.push(`workdir=${viaFd(spec.work)}`);
    mountWithFeatures(folders.join(','), spec);
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

const features = ['redirect_dir', 'metacopy', 'index'] as const;
let knownFeatures: readonly string[] = features;

function mountWithFeatures(folders: string, spec: OverlaySpec): void {
  const flags = spec.readonly ? mountFlags.readonly : 0;
  const attempt = (volatile: boolean): void => {
    const options = knownFeatures.map((name) => `${name}=off`);
    const data = [folders, ...options, ...(volatile ? ['volatile'] : [])].join(',');
    mount({ source: 'overlay', target: spec.target, type: 'overlay', flags, data });
  };
  const isRefusal = (error: unknown): boolean => error instanceof SystemError && error.code === 'EINVAL';
  if (spec.volatile) {
    // The mark of such a mount before keeps the kernel from mounting the folder again: overlayfs.rst, Volatile mount.
    if (spec.work !== undefined) rmSync(join(spec.work, 'work/incompat'), { recursive: true, force: true });
    try {
      attempt(true);
      return;
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }
  try {
    attempt(false);
  } catch (error) {
    // An old kernel refuses options it has never heard of; its module's parameters tell which it has.
    const known = features.filter((name) => existsSync(`/sys/module/overlay/parameters/${name}`));
    if (!isRefusal(error) || known.length === knownFeatures.length) throw error;
    knownFeatures = known;
    attempt(false);
  }
}

/** One line of /proc/<pid>/mountinfo (proc(5)). */
export interface MountInfo {
  readonly id: number;
  readonly parent: number;
  /** major:minor */
  readonly device: string;
  /** The folder of the file system that is the root of this mount. */
  readonly root: string;
  readonly target: string;
  readonly options: readonly string[];
  /** Propagation and other tags, such as `shared:1`. */
  readonly tags: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

const unescape = (text: string): string =>
  text.includes('\\')
    ? Buffer.from(
        text
          .replace(/[^\x20-\x7e]/gu, (char) => Buffer.from(char).toString('latin1'))
          .replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
        'latin1',
      ).toString()
    : text;

/** Reads the text of a mountinfo file. Lines that make no sense are left out. */
export function parseMountInfo(text: string): MountInfo[] {
  const mounts: MountInfo[] = [];
  for (const line of text.split('\n')) {
    const [left, right] = line.split(' - ', 2);
    const [id, parent, device, root, target, options, ...tags] = left?.split(' ') ?? [];
    const [type, source, superOptions] = right?.split(' ') ?? [];
    if (options === undefined || device === undefined || type === undefined) continue;
    mounts.push({
      id: Number(id),
      parent: Number(parent),
      device,
      root: unescape(root ?? ''),
      target: unescape(target ?? ''),
      options: options.split(','),
      tags,
      type: unescape(type),
      source: unescape(source ?? ''),
      superOptions: (superOptions ?? '').split(','),
    });
  }
  return mounts;
}

/** Every mount this process sees, in the order of mounting. */
export function listMounts(pid: number | 'self' = 'self'): MountInfo[] {
  return parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
}

/** The newest mount whose mount point is exactly `target` (an absolute, resolved path). */
export function findMount(target: string): MountInfo | undefined {
  return listMounts().findLast((entry) => entry.target === target);
}

/** Lazily unmounts everything mounted at or below `folder`, newest first; returns how many mounts that were. */
export function unmountBelow(folder: string): number {
  const below = listMounts().filter(({ target }) => target === folder || target.startsWith(`${folder}/`));
  for (const entry of below.reverse()) unmountIfMounted(entry.target, { lazy: true });
  return below.length;
}
