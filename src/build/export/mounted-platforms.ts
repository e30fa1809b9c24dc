import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '#kernel';
import { topOf, type LayerStack } from '#images';
import { unmountInBackground } from '#linux';
import { formatPlatform } from '#oci';
import { placeStatements, type AttestedFilesOptions } from './attested-files.ts';
import type { BuiltPlatform } from './built-platform.ts';
import type { Built } from './exporter.ts';

/** A platform's file system where it can be read. */
export interface MountedPlatform {
  readonly built: BuiltPlatform;
  /** `linux/arm64` */
  readonly name: string;
  /** `linux_arm64`: the folder's name. */
  readonly folder: string;
  readonly root: string;
}

/**
 * Mounts the file systems of all platforms side by side in one folder while `work` is done. What is said about them lies
 * in them meanwhile.
 */
export async function mountedPlatforms<T>(
  whole: Built,
  statements: AttestedFilesOptions,
  work: (mounts: readonly MountedPlatform[], parent: string) => Promise<T>,
): Promise<T> {
  const { parts, platforms, claim, attestor } = whole;
  const isAttested = attestor?.speaks({ inline: false }) === true;
  const parent = join(parts.mountFolder, newId());
  await using opened = new AsyncDisposableStack();
  const folder = async (path: string): Promise<void> => {
    await mkdir(path, { recursive: true, mode: 0o755 });
    opened.defer(() => rmdir(path));
  };
  await folder(parent);
  const mounts: MountedPlatform[] = [];
  for (const built of platforms) {
    const name = formatPlatform(built.platform);
    const mount = { built, name, folder: name.replaceAll('/', '_') };
    const root = join(parent, mount.folder);
    await folder(root);
    if (isAttested) {
      const key = await claim.open(built.layers);
      opened.defer(() => claim.discard(key));
      parts.snapshots.mount(key, root, { readonly: false });
      opened.defer(() => unmountInBackground(root));
      await placeStatements(whole, built, root, { ...statements, folder: mount.folder });
    } else if (mountLayers(parts, built.layers, root)) opened.defer(() => unmountInBackground(root));
    mounts.push({ ...mount, root });
  }
  return await work(mounts, parent);
}

/** False: there are none, and the folder stays as it is. */
function mountLayers({ snapshots }: Built['parts'], layers: LayerStack, root: string): boolean {
  const top = topOf(layers);
  if (top !== undefined) snapshots.mount(top, root, { readonly: true });
  return top !== undefined;
}
