import { lstatSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '#kernel';
import { goModeOf, type EntryType, type FileStat } from '#filesync';
import type { FolderFilter, FolderState } from './folder-filter.ts';

/** A name of a walk before it is known whether it is sent. */
interface Step {
  readonly stat: FileStat;
  readonly state: FolderState;
  isSent: boolean;
}

/**
 * The files of a folder in the order of a transfer: folders before what is in them, names by their bytes. Folders that
 * are not wanted themselves come when something in them is. Owners are root's, as in every build context; sockets are
 * left out. Throws the system's errors, but for what goes away meanwhile.
 */
export function* walkFolder(root: string, filter: FolderFilter): Generator<FileStat, void> {
  const links = new Map<bigint, string>();
  yield* walk(root, '', filter, links, []);
}

function* walk(
  root: string,
  folder: string,
  filter: FolderFilter,
  links: Map<bigint, string>,
  above: Step[],
): Generator<FileStat, void> {
  for (const name of sortedNames(join(root, folder))) {
    const path = folder === '' ? name : `${folder}/${name}`;
    const found = statOf(join(root, path));
    if (!found || found.isSocket()) continue;
    const isFolder = found.isDirectory();
    const verdict = filter.decide(path, isFolder, above.at(-1)?.state);
    if (!verdict.isWanted && !verdict.mayHoldWanted) continue;
    const step: Step = { stat: fileStat(root, path, found), state: verdict.state, isSent: false };
    if (verdict.isWanted) {
      for (const parent of above) {
        if (!parent.isSent) yield parent.stat;
        parent.isSent = true;
      }
      yield withLink(step.stat, found, links);
      step.isSent = true;
    }
    if (verdict.mayHoldWanted) yield* walk(root, path, filter, links, [...above, step]);
  }
}

/** Names in the order of their bytes. */
function sortedNames(folder: string): string[] {
  const names = readdirSync(folder);
  // The order of UTF-16 is that of the bytes but for the rarest of characters.
  if (names.every((name) => !/[\ud800-\udfff]/.test(name))) return names.sort();
  return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function statOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function typeOf(found: BigIntStats): EntryType {
  if (found.isDirectory()) return 'directory';
  if (found.isSymbolicLink()) return 'symlink';
  if (found.isFIFO()) return 'fifo';
  if (found.isCharacterDevice()) return 'character';
  return found.isBlockDevice() ? 'block' : 'file';
}

function fileStat(root: string, path: string, found: BigIntStats): FileStat {
  const type = typeOf(found);
  const isDevice = type === 'character' || type === 'block';
  return {
    path,
    mode: goModeOf(type, Number(found.mode & 0o7777n)),
    uid: 0,
    gid: 0,
    size: type === 'directory' ? 0 : Number(found.size),
    modTime: found.mtimeNs,
    linkname: type === 'symlink' ? readlinkSync(join(root, path)) : '',
    devmajor: isDevice ? majorOf(found.rdev) : 0,
    devminor: isDevice ? minorOf(found.rdev) : 0,
    xattrs: new Map(),
  };
}

/** The second name of a file that was sent already names the first one. */
function withLink(stat: FileStat, found: BigIntStats, links: Map<bigint, string>): FileStat {
  if (!found.isFile() || found.nlink < 2n) return stat;
  const first = links.get(found.ino);
  if (first === undefined) {
    links.set(found.ino, stat.path);
    return stat;
  }
  return { ...stat, linkname: first, size: 0 };
}

// As glibc's <sys/sysmacros.h> has them.
const majorOf = (device: bigint): number =>
  Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n));
const minorOf = (device: bigint): number => Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n));
