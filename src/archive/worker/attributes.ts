import { fchownSync, readFileSync, type BigIntStats } from 'node:fs';
import { errnoOf } from '#kernel';
import { chmodFd, getXattr, listXattrs, removeXattr, setXattr } from '#linux';

/** Owner, permissions and extended attributes of anything on disk. */
export interface Attributes {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

const umask = Number.parseInt(
  /^Umask:\s*([0-7]+)/m.exec(readFileSync('/proc/thread-self/status', 'latin1'))?.[1] ?? '777',
  8,
);
/** Mode bits that a newly made file does not get from its creation, but needs a chmod for. */
const lateBits = umask | 0o7000;
export const needsChmod = (mode: number): boolean => (mode & lateBits) !== 0;

/** The overlay file system's own attributes say how a layer is stacked here; they never travel. */
const travels = (name: string): boolean =>
  !name.startsWith('trusted.overlay.') && !name.startsWith('user.overlay.') && name !== 'security.selinux';

/** Extended attributes of a path (not following a link) or a descriptor, by name in order. */
export function readXattrs(target: string | number): Map<string, Buffer> {
  const xattrs = new Map<string, Buffer>();
  for (const name of listXattrs(target).sort()) {
    const value = travels(name) ? getXattr(target, name) : undefined;
    if (value) xattrs.set(name, value);
  }
  return xattrs;
}

/** EPERM: attributes of users on anything but files and folders (xattr(7)). */
const unsupported = new Set(['EOPNOTSUPP', 'ENOTSUP', 'EPERM']);

/** Attributes that the file system or the kind of file cannot have are left out, as Docker does. */
export function writeXattrs(target: string | number, xattrs: ReadonlyMap<string, Uint8Array>): void {
  for (const [name, value] of xattrs) {
    if (!travels(name)) continue;
    try {
      setXattr(target, name, value);
    } catch (error) {
      if (!unsupported.has(errnoOf(error) ?? '')) throw error;
    }
  }
}

/** Takes away the attributes that are not among those. */
export function removeXattrs(path: string, wanted: ReadonlyMap<string, Uint8Array>): void {
  for (const name of listXattrs(path)) if (travels(name) && !wanted.has(name)) removeXattr(path, name);
}

/**
 * Gives an open file or folder its owner, mode and attributes, in the order that keeps setuid and capabilities.
 * `fresh`: it was just made by us with this mode, in a folder that hands down no group.
 */
export function applyToFd(fd: number, attributes: Attributes, fresh: boolean): void {
  const { uid, gid, mode, xattrs } = attributes;
  if (!fresh || uid !== 0 || gid !== 0) fchownSync(fd, uid >>> 0, gid >>> 0);
  if (!fresh || needsChmod(mode)) chmodFd(fd, mode);
  if (xattrs.size > 0) writeXattrs(fd, xattrs);
}

export const permissionsOf = (stats: BigIntStats): number => Number(stats.mode & 0o7777n);
