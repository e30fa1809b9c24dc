import { constants, closeSync, openSync, readlinkSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, newId } from '#kernel';
import { openUnder, oPath, unmountInBackground } from '#linux';
import { topOf, type LayerStack } from '#images';
import type { BuildParts } from '../solver/ports.ts';

/** Does something in a file system that is mounted meanwhile. */
export async function mounted<T>(
  parts: Pick<BuildParts, 'snapshots' | 'mountFolder'>,
  key: string,
  options: { readonly readonly: boolean },
  work: (root: string) => Promise<T>,
): Promise<T> {
  const root = join(parts.mountFolder, newId());
  await mkdir(root, { recursive: true, mode: 0o700 });
  try {
    parts.snapshots.mount(key, root, options);
    return await work(root);
  } finally {
    await unmountInBackground(root);
    await rmdir(root);
  }
}

/** The same for layers that are only read; with none, in an empty folder. */
export async function mountedLayers<T>(
  parts: Pick<BuildParts, 'snapshots' | 'mountFolder'>,
  layers: LayerStack,
  work: (root: string) => Promise<T>,
): Promise<T> {
  const top = topOf(layers);
  if (top !== undefined) return mounted(parts, top, { readonly: true }, work);
  const root = join(parts.mountFolder, newId());
  await mkdir(root, { recursive: true, mode: 0o700 });
  try {
    return await work(root);
  } finally {
    await rmdir(root);
  }
}

/** What a path inside a root leads to, as a path inside it without links; undefined where there is nothing. */
export function resolveIn(
  root: string,
  path: string,
): { readonly path: string; readonly isFolder: boolean } | undefined {
  const top = openSync(root, constants.O_DIRECTORY);
  try {
    const fd = openUnder(top, path, { flags: oPath, resolve: 'root' });
    try {
      const place = readlinkSync(`/proc/self/fd/${fd}`).slice(readlinkSync(`/proc/self/fd/${top}`).length);
      return { path: place.replace(/^\//, ''), isFolder: isFolder(fd) };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  } finally {
    closeSync(top);
  }
}

function isFolder(fd: number): boolean {
  try {
    closeSync(openSync(`/proc/self/fd/${fd}/.`, constants.O_RDONLY | constants.O_DIRECTORY));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}
