import type { ContentStore } from '#content';
import type { ImageHolding } from '#images';
import { isKind, Limiter } from '#kernel';
import type { Leases } from '#metadata';
import type { SnapshotInfo, Snapshotter } from '#snapshots';
import { keysOfEntry, type CacheEntry } from './build-cache.ts';
import { blobKey, keysOf, layerKey, Ledger } from './ledger.ts';

export interface InventoryOptions {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly leases: Leases;
  /** Bytes in a block of the file system. */
  readonly block: number;
}

/** Folders counted at once: the workers have other things to do too. */
const atOnce = 2;

/** What blobs and layers there are, and what each takes on disk. */
export interface Inventory {
  /** By the ledger's keys: blobs, and every snapshot that is no container's. */
  readonly sizes: ReadonlyMap<string, number>;
  /**
   * A ledger in which containers and operations hold what they need, and images nothing yet; `underWay`: only operations
   * under way, not what is kept for builds and interrupted pulls to go on.
   */
  ledger(options?: { readonly underWay: boolean }): Ledger;
}

/** Looks at every blob, and counts the snapshots that have not been counted before. */
export async function takeInventory(options: InventoryOptions, signal: AbortSignal): Promise<Inventory> {
  const { content, snapshots, leases, block } = options;
  const sizes = new Map<string, number>();
  for await (const { digest, size } of content.walk()) {
    sizes.set(blobKey(digest), Math.ceil(size / block) * block);
  }
  const limiter = new Limiter(atOnce);
  const committed = snapshots.list().filter(({ kind }) => kind === 'committed');
  await Promise.all(
    committed.map(({ key }) =>
      limiter.run(async () => {
        const size = await sizeOf(snapshots, key, signal);
        if (size !== undefined) sizes.set(layerKey(key), size);
      }),
    ),
  );
  return {
    sizes,
    ledger: (which = { underWay: false }) => {
      const ledger = new Ledger(sizes);
      ledger.hold(layersInUse(snapshots.list()).map(layerKey));
      ledger.hold([...leases.items('blob', which)].map(blobKey));
      ledger.hold([...leases.items('snapshot', which)].map(layerKey));
      return ledger;
    },
  };
}

/** Bytes of a snapshot on disk; undefined once it is gone. */
export async function sizeOf(
  snapshots: Snapshotter,
  key: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    return await snapshots.disk(key, { signal });
  } catch (error) {
    if (isKind(error, 'notFound')) return undefined;
    throw error;
  }
}

/** Layers that something writable stands on, with those below them. */
function layersInUse(list: readonly SnapshotInfo[]): readonly string[] {
  const parents = new Map(list.map(({ key, parent }) => [key, parent]));
  const used = new Set<string>();
  for (const { kind, parent } of list) {
    if (kind !== 'active') continue;
    for (let key = parent; key !== undefined && !used.has(key); key = parents.get(key)) used.add(key);
  }
  return [...used];
}

/** A ledger in which these images and the builder's cache hold what they need as well. */
export function ledgerWith(
  inventory: Inventory,
  images: Iterable<ImageHolding>,
  cache: Iterable<CacheEntry>,
  which?: { readonly underWay: boolean },
): Ledger {
  const ledger = inventory.ledger(which);
  for (const entry of cache) ledger.hold(keysOfEntry(entry));
  for (const image of images) ledger.hold(keysOf(image));
  return ledger;
}
