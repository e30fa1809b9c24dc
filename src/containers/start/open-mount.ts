import { lstatSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidArgument, makeFolders, messageOf } from '#kernel';
import type { ContainerContext } from '../context.ts';
import type { ContainerMount } from '../container-record.ts';
import { makeExtraMountPoint, openSubpath } from './extra-mounts.ts';
import { requirePropagation } from './propagation.ts';
import { folderInRoot } from './root-file-system.ts';

/**
 * The host path of a mount; a volume is made ready, and filled from what the root has at its place when it is empty; an
 * image is mounted. `user` names the bundle in which that happens, and is to release() the volume.
 */
export async function openMount(
  ctx: ContainerContext,
  mount: ContainerMount,
  root: string,
  user: string,
): Promise<string> {
  const { image, name, subpath } = mount;
  if (mount.type === 'bind') return openBind(mount);
  if (mount.type === 'tmpfs') return mount.source;
  const bundle = join(ctx.options.bundles, user);
  let folder = mount.source;
  if (image !== undefined) {
    folder = await makeExtraMountPoint(bundle, 'folder');
    ctx.options.snapshots.mount(image.chainId, folder, { readonly: true });
  } else if (name !== undefined) {
    folder = await ctx.options.volumes.acquire(name, user);
    if (mount.copyUp) await fill(ctx, mount.destination, root, folder);
  }
  return subpath === undefined ? folder : openSubpath(bundle, folder, subpath);
}

async function openBind({ source, makesSource, propagation }: ContainerMount): Promise<string> {
  if (!lstatSync(source, { throwIfNoEntry: false })) {
    if (!makesSource) {
      throw invalidArgument(
        `invalid mount config for type "bind": bind source path does not exist: ${source}`,
      );
    }
    await makeFolders(source, 0o755).catch((error: unknown) => {
      throw invalidArgument(`error while creating mount source path '${source}': ${messageOf(error)}`, error);
    });
  }
  requirePropagation(source, propagation);
  return source;
}

/** An empty volume gets what the image has at its place. */
async function fill(ctx: ContainerContext, destination: string, root: string, folder: string): Promise<void> {
  if ((await readdir(folder)).length > 0 || !folderInRoot(root, destination)) return;
  const { archiver, signal } = ctx.options;
  await archiver.copyTree({ root, path: destination, target: folder, signal });
}
