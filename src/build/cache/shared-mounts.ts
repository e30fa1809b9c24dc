import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { BuildClaim } from '#images';
import { mediaTypes } from '#oci';
import type { BuildGraph } from '../graph/graph-builder.ts';
import type { BuildInputs, BuildParts } from '../solver/ports.ts';
import type { SharedMount } from './cache-config.ts';
import { mountIdentity } from './cache-mounts.ts';

/** Packs what the cache mounts of a build hold now, each once; they may be used meanwhile. */
export async function packMounts(
  graph: BuildGraph,
  { mounts, archiver }: Pick<BuildParts, 'mounts' | 'archiver'>,
  { claim, signal }: { readonly claim: BuildClaim; readonly signal: AbortSignal },
): Promise<readonly SharedMount[]> {
  const packed = new Map<string, SharedMount>();
  for (const vertex of graph.vertices.values()) {
    if (vertex.kind !== 'exec') continue;
    for (const mount of vertex.mounts) {
      const found = mount.kind === 'cache' ? mounts.find(mountIdentity(mount)) : undefined;
      if (!found || mount.kind !== 'cache' || packed.has(found.folder)) continue;
      const { stream, done } = archiver.pack({ root: found.path, path: '/', name: '', signal });
      const compressed = createGzip();
      // A failure reaches who reads what comes out.
      pipeline(stream, compressed, { signal }).catch(() => undefined);
      done.catch(() => undefined);
      const blob = await claim.outputs.store(
        mediaTypes.ociLayerGzip,
        compressed as AsyncIterable<Uint8Array>,
      );
      await done;
      packed.set(found.folder, { folder: found.folder, name: mount.id, blob });
    }
  }
  return [...packed.values()];
}

/** Puts into a new cache mount what another builder had in it; false: nobody is known to have one. */
export async function unpackSharedMount(
  name: string,
  folder: string,
  { archiver }: Pick<BuildParts, 'archiver'>,
  { imported, claim, signal }: Pick<BuildInputs, 'imported' | 'claim' | 'signal'>,
): Promise<boolean> {
  const shared = imported.mount(name);
  if (!shared) return false;
  const path = await claim.bring(shared.mount.blob, shared.from, { signal }).catch(() => undefined);
  signal.throwIfAborted();
  // A cache may be empty.
  if (path === undefined) return false;
  await archiver.unpack({ path }, { root: folder, signal });
  return true;
}
