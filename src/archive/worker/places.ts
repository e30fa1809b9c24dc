import { constants, lstatSync, readdirSync, type BigIntStats } from 'node:fs';
import { errnoOf, pathFromBytes, pathToBytes } from '#kernel';
import { close, openAt, renameAt, unlinkAt } from '#linux';

/**
 * A path for calls of node:fs that names `name` in an open folder. Only the last component can be a symbolic
 * link that someone has put there, so the call must not follow links.
 */
export function placeIn(folder: number, name: string): string | Buffer {
  const prefix = `/proc/self/fd/${folder}/`;
  return name.isWellFormed() ? prefix + name : Buffer.concat([Buffer.from(prefix), pathToBytes(name)]);
}

/** The same as a string, for the calls of #linux. */
export const linkPlaceIn = (folder: number, name: string): string => `/proc/self/fd/${folder}/${name}`;

/** lstat(2) in an open folder; undefined if there is nothing of that name. */
export function lstatIn(folder: number, name: string): BigIntStats | undefined {
  try {
    return lstatSync(placeIn(folder, name), { bigint: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Names in an open folder, sorted by their bytes. */
export function namesIn(folder: number): string[] {
  const names = readdirSync(`/proc/self/fd/${folder}`, { encoding: 'buffer' });
  return names.sort((one, two) => Buffer.compare(one, two)).map(pathFromBytes);
}

/** The same, and whether each is a character device, which costs a folder of many files little. */
export function kindsIn(folder: number): { readonly name: string; readonly isDevice: boolean }[] {
  const found = readdirSync(`/proc/self/fd/${folder}`, { encoding: 'buffer', withFileTypes: true });
  return found
    .sort((one, two) => Buffer.compare(one.name, two.name))
    .map((each) => ({ name: pathFromBytes(each.name), isDevice: each.isCharacterDevice() }));
}

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Opens a subfolder for reading; ELOOP or ENOTDIR if it is anything else by now. */
export const openFolderIn = (folder: number, name: string): number => openAt(folder, name, folderFlags);

/** overlay(5)'s mark of a deleted name: a character device 0/0. */
export const isWhiteout = (stats: BigIntStats): boolean =>
  (stats.mode & BigInt(constants.S_IFMT)) === BigInt(constants.S_IFCHR) && stats.rdev === 0n;

/** How many nested folders are held open at once; deeper ones are moved up before they are emptied. */
const maximumDepth = 256;

/** Deletes whatever `name` is, with everything below it, without leaving it through links; a missing one is no error. */
export function removeTreeIn(folder: number, name: string, check: () => void = () => undefined): void {
  const stats = lstatIn(folder, name);
  if (!stats) return;
  if (!stats.isDirectory()) {
    unlinkAt(folder, name);
    return;
  }
  const top = openFolderIn(folder, name);
  let moved = 0;
  const empty = (fd: number, depth: number): void => {
    for (const child of namesIn(fd)) {
      check();
      if (unlinkFile(fd, child)) continue;
      if (depth >= maximumDepth) {
        renameAt(fd, child, top, `.removed-${(moved += 1)}`);
        continue;
      }
      const below = openFolderIn(fd, child);
      try {
        empty(below, depth + 1);
      } finally {
        close(below);
      }
      unlinkAt(fd, child, { folder: true });
    }
  };
  try {
    do empty(top, 0);
    while (namesIn(top).length > 0);
  } finally {
    close(top);
  }
  unlinkAt(folder, name, { folder: true });
}

/** False if it is a folder. */
function unlinkFile(folder: number, name: string): boolean {
  try {
    unlinkAt(folder, name);
    return true;
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT') return true;
    if (code === 'EISDIR' || code === 'EPERM') return false;
    throw error;
  }
}
