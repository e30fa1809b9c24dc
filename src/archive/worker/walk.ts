import { constants, fstatSync, readlinkSync, type BigIntStats } from 'node:fs';
import { errnoOf, pathFromBytes } from '#kernel';
import { close, deviceMajor, deviceMinor, openAt } from '#linux';
import { tarHeader, type TarHeader, type TarType } from '../tar/header.ts';
import { permissionsOf, readXattrs } from './attributes.ts';
import { linkPlaceIn, lstatIn, namesIn, openFolderIn, placeIn } from './places.ts';

/** Something on disk, seen from its open folder. */
export interface Found {
  readonly folder: number;
  readonly name: string;
  readonly stats: BigIntStats;
}

/** Seconds only, as Docker's own archives have them. */
const wholeSeconds = (nanos: bigint): bigint =>
  nanos - (((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);

function typeOf(stats: BigIntStats): TarType | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isCharacterDevice()) return 'character';
  if (stats.isBlockDevice()) return 'block';
  return stats.isFIFO() ? 'fifo' : undefined;
}

/** Remembers files with several names, so that the second name becomes a link to the first. */
export class HardLinks {
  readonly #first = new Map<string, string>();

  /** The name under which the file was seen before; undefined for its first name. */
  firstName(stats: BigIntStats, path: string): string | undefined {
    if (stats.nlink < 2n || stats.isDirectory()) return undefined;
    const key = `${stats.dev}:${stats.ino}`;
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, path);
    return first;
  }
}

/** The header of something on disk; undefined for what no archive can hold (sockets). */
export function headerOf(
  { folder, name, stats }: Found,
  path: string,
  links: HardLinks,
  options: { nanoseconds?: boolean } = {},
): TarHeader | undefined {
  const type = typeOf(stats);
  if (type === undefined) return undefined;
  const first = links.firstName(stats, path);
  const isDevice = type === 'character' || type === 'block';
  return tarHeader({
    name: path,
    type: first === undefined ? type : 'hardlink',
    linkName: first ?? (type === 'symlink' ? linkTarget(folder, name) : ''),
    mode: permissionsOf(stats),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: type === 'file' && first === undefined ? Number(stats.size) : 0,
    mtime: options.nanoseconds ? stats.mtimeNs : wholeSeconds(stats.mtimeNs),
    ...(isDevice && { deviceMajor: deviceMajor(stats.rdev), deviceMinor: deviceMinor(stats.rdev) }),
    ...(first === undefined && { xattrs: readXattrs(linkPlaceIn(folder, name)) }),
  });
}

const linkTarget = (folder: number, name: string): string =>
  pathFromBytes(readlinkSync(placeIn(folder, name), { encoding: 'buffer' }));

/**
 * Opens a regular file for reading without waiting for a pipe or following a link that took its name meanwhile;
 * undefined if it is no longer the file that was seen. `size`: what it has now, in bytes.
 */
export function openFileIn({ folder, name, stats }: Found): { fd: number; size: number } | undefined {
  let fd: number;
  try {
    fd = openAt(folder, name, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENXIO') return undefined;
    throw error;
  }
  const now = fstatSync(fd, { bigint: true });
  if (now.isFile() && now.ino === stats.ino) return { fd, size: Number(now.size) };
  close(fd);
  return undefined;
}

/**
 * Visits what is below an open folder, sorted by name, a folder before its contents. `visit` gets the path
 * relative to the start and returns whether to go into a folder. What vanishes meanwhile is left out.
 */
export function walk(
  folder: number,
  path: string,
  visit: (found: Found, path: string) => boolean,
  names = namesIn(folder),
): void {
  for (const name of names) {
    const stats = lstatIn(folder, name);
    if (!stats) continue;
    const child = path === '' ? name : `${path}/${name}`;
    if (!visit({ folder, name, stats }, child) || !stats.isDirectory()) continue;
    let fd: number;
    try {
      fd = openFolderIn(folder, name);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP' || errnoOf(error) === 'ENOTDIR') continue;
      throw error;
    }
    try {
      walk(fd, child, visit);
    } finally {
      close(fd);
    }
  }
}
