import { lstatSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidArgument } from '#kernel';
import type { ContainerContext } from '../context.ts';
import type { ContainerMount } from '../container-record.ts';
import { folderInRoot } from './root-file-system.ts';

/**
 * The host path of a mount; a volume is made ready, and filled from what the root has at its place when it is empty.
 * `user` is to release() the volume.
 */
export async function openMount(
  ctx: ContainerContext,
  mount: ContainerMount,
  root: string,
  user: string,
): Promise<string> {
  if (mount.type === 'bind') {
    if (!lstatSync(mount.source, { throwIfNoEntry: false })) {
      throw invalidArgument(
        `error while creating mount source path '${mount.source}': bind source path does not exist: make it, or remove the mount`,
      );
    }
    return mount.source;
  }
  if (mount.type !== 'volume' || mount.name === undefined) return mount.source;
  const folder = await ctx.options.volumes.acquire(mount.name, user);
  if (mount.copyUp && (await readdir(folder)).length === 0 && folderInRoot(root, mount.destination)) {
    await ctx.options.archiver.copyTree({
      root,
      path: mount.destination,
      target: folder,
      signal: ctx.options.signal,
    });
  }
  if (mount.subpath === undefined) return folder;
  if (!folderInRoot(folder, mount.subpath)) {
    throw invalidArgument(`cannot access path ${join(folder, mount.subpath)}: no such file or directory`);
  }
  return join(folder, mount.subpath);
}
