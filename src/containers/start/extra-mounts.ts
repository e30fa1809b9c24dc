import { closeSync, constants, existsSync, fstatSync, openSync } from 'node:fs';
import { mkdir, readdir, rmdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, invalidArgument, newId } from '#kernel';
import { bindMount, openUnder, oPath, unmountBelow } from '#linux';

/** Where, beside a root file system, lie the mounts that are made on the way into it: images, parts of volumes. */
const folderOf = (bundle: string): string => join(bundle, 'mounts');

/** An empty folder of its own in the bundle, or an empty file, to mount something on. */
export async function makeExtraMountPoint(bundle: string, kind: 'folder' | 'file'): Promise<string> {
  const path = join(folderOf(bundle), newId().slice(0, 12));
  await mkdir(kind === 'folder' ? path : folderOf(bundle), { recursive: true, mode: 0o700 });
  if (kind === 'file') await writeFile(path, '');
  return path;
}

/**
 * Shows what lies at a path inside a folder, links resolved inside that folder, and answers where: a place that nobody
 * can replace by a link any more. Throws invalidArgument when it is missing.
 */
export async function openSubpath(bundle: string, folder: string, subpath: string): Promise<string> {
  const top = openSync(folder, constants.O_DIRECTORY);
  let fd: number;
  try {
    fd = openUnder(top, subpath, { flags: oPath, resolve: 'root' });
  } catch (error) {
    const path = join(folder, subpath);
    if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) throw error;
    throw invalidArgument(`cannot access path ${path}: lstat ${path}: no such file or directory`, error);
  } finally {
    closeSync(top);
  }
  try {
    const target = await makeExtraMountPoint(bundle, fstatSync(fd).isDirectory() ? 'folder' : 'file');
    bindMount(`/proc/self/fd/${fd}`, target, { recursive: true });
    return target;
  } finally {
    closeSync(fd);
  }
}

/** Takes them away. Never recursive: were one still mounted, its files would go. Idempotent. */
export async function closeExtraMounts(bundle: string): Promise<void> {
  const folder = folderOf(bundle);
  if (!existsSync(folder)) return;
  unmountBelow(folder);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    await (entry.isDirectory() ? rmdir(path) : unlink(path));
  }
  await rmdir(folder);
}
