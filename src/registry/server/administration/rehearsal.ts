import type { Collected, CollectorOptions } from '../collector.ts';
import type { Inventory } from '../inventory.ts';
import type { RegistryStore } from '../registry-store.ts';
import type { RetentionPlan } from '../retention/plan.ts';

/** Carries a result out of a transaction that is undone. */
class Undone extends Error {
  readonly collected: Collected;

  constructor(collected: Collected) {
    super('a rehearsal is undone');
    this.collected = collected;
  }
}

/**
 * What a collection would remove after what retention rules remove: does it to the records, looks, and undoes it.
 * Bytes that no record knows of are not counted, nor are uploads.
 */
export function rehearse(
  parts: { readonly store: RegistryStore; readonly inventory: Inventory; readonly now: bigint },
  { graceMs, untagged }: CollectorOptions,
  plans: readonly RetentionPlan[],
): Collected {
  const { store, inventory } = parts;
  const before = parts.now - BigInt(Math.round(graceMs)) * 1_000_000n;
  try {
    store.transaction(() => {
      const held = inventory.digests();
      for (const { repository, tags, manifests } of plans) {
        for (const { tag } of tags.filter(({ kept }) => !kept)) store.removeManifest(repository, tag);
        for (const { digest } of manifests) store.removeManifest(repository, digest);
      }
      let dropped = 0;
      for (let round = -1; untagged && round !== 0; dropped += round) round = store.dropUntagged(before);
      store.dropUnusedBlobs(before);
      const left = inventory.digests();
      const gone = [...held].filter(([digest]) => !left.has(digest));
      const bytes = gone.reduce((sum, [, size]) => sum + size, 0);
      throw new Undone({ uploads: 0, manifests: dropped, blobs: gone.length, bytes });
    });
  } catch (error) {
    if (error instanceof Undone) return error.collected;
    throw error;
  }
  throw new Error('a rehearsal ended by itself');
}
