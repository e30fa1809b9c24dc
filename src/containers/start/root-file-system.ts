import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf, invalidArgument, isKind } from '#kernel';
import {
  bindMount,
  chownAt,
  makeFolderAt,
  mountOverlay,
  openFolderUnder,
  openUnder,
  oPath,
  unmountInBackground,
} from '#linux';
import type { SnapshotMounts } from '#snapshots';
import type { AccountFiles } from '../spec/user.ts';
import { closeExtraMounts } from './extra-mounts.ts';

/**
 * Mounts a container's snapshot, with the base layer under it, at `target`, which it makes. `volatile`: the writable
 * layer goes with this run, so it need never reach the disk.
 */
export function mountRoot(
  mounts: SnapshotMounts,
  baseLayer: string,
  target: string,
  options: { readonly volatile?: boolean } = {},
): void {
  mkdirSync(target, { recursive: true });
  if (mounts.upper !== undefined && mounts.work === undefined) {
    bindMount(mounts.upper, target);
    return;
  }
  mountOverlay({
    lower: [baseLayer, ...mounts.lower],
    ...(mounts.upper !== undefined && { upper: mounts.upper }),
    ...(mounts.work !== undefined && { work: mounts.work }),
    target,
    volatile: options.volatile ?? false,
  });
}

/** Takes the mount away with all that is mounted on it, and removes the bundle around it. Idempotent. */
export async function unmountRoot(target: string): Promise<void> {
  const isThere = existsSync(target);
  if (isThere) await unmountInBackground(target);
  await closeExtraMounts(dirname(target));
  // Never recursive on the mount point: if it were still mounted, its files would go.
  if (isThere) rmdirSync(target);
  rmSync(dirname(target), { recursive: true, force: true });
}

const accountLimit = 1 << 20;

/** A small file inside the root, resolved there; undefined when it is missing or no regular file. */
export function readInRoot(root: string, path: string): string | undefined {
  const folder = openSync(root, constants.O_DIRECTORY);
  try {
    const fd = openUnder(folder, path, { flags: constants.O_RDONLY | constants.O_NONBLOCK, resolve: 'root' });
    try {
      const stat = fstatSync(fd);
      return stat.isFile() && stat.size <= accountLimit ? readFileSync(fd, 'utf8') : undefined;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  } finally {
    closeSync(folder);
  }
}

export const accountFiles = (root: string): AccountFiles => ({
  passwd: readInRoot(root, 'etc/passwd'),
  group: readInRoot(root, 'etc/group'),
});

/**
 * Makes a folder inside the root with its parents, links resolved inside the root; what it makes belongs to the
 * owner given. Throws invalidArgument when something on the way is no folder.
 */
export function makeFolderInRoot(root: string, path: string, owner: { uid: number; gid: number }): void {
  const rootFd = openSync(root, constants.O_DIRECTORY);
  try {
    let done = '/';
    for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
      const parent = openFolderUnder(rootFd, done);
      try {
        makeFolderAt(parent, name, 0o755);
        chownAt(parent, name, owner.uid, owner.gid);
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error;
      } finally {
        closeSync(parent);
      }
      done = join(done, name);
    }
    closeSync(openFolderUnder(rootFd, done));
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') {
      throw invalidArgument(`Cannot mkdir: ${path} is not a directory`, error);
    }
    throw error;
  } finally {
    closeSync(rootFd);
  }
}

/**
 * Makes what a mount at a path inside the root lies on, a folder or an empty file, and opens it; undefined when something
 * on the way is no folder. To be mounted on by its descriptor: a path could lead elsewhere by then.
 */
export function openMountPoint(root: string, path: string, kind: 'folder' | 'file'): number | undefined {
  const rootFd = openSync(root, constants.O_DIRECTORY);
  const flags = kind === 'folder' ? oPath : constants.O_CREAT | constants.O_RDONLY | constants.O_NONBLOCK;
  try {
    makeFolderInRoot(root, kind === 'folder' ? path : dirname(path), { uid: 0, gid: 0 });
    return openUnder(rootFd, path, { flags, mode: kind === 'folder' ? 0 : 0o644, resolve: 'root' });
  } catch (error) {
    if (isKind(error, 'invalidArgument') || ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) {
      return undefined;
    }
    throw error;
  } finally {
    closeSync(rootFd);
  }
}

/** Whether a path inside the root is a folder, and who owns it. */
export function folderInRoot(root: string, path: string): { uid: number; gid: number } | undefined {
  const rootFd = openSync(root, constants.O_DIRECTORY);
  try {
    const fd = openUnder(rootFd, path, {
      flags: constants.O_RDONLY | constants.O_DIRECTORY,
      resolve: 'root',
    });
    const { uid, gid } = fstatSync(fd);
    closeSync(fd);
    return { uid, gid };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  } finally {
    closeSync(rootFd);
  }
}
