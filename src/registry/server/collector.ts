import type { ContentStore } from '#content';
import type { Clock, KeyedLock } from '#kernel';
import type { RegistryStore } from './registry-store.ts';
import type { Uploads } from './uploads.ts';

export interface CollectorParts {
  readonly content: ContentStore;
  readonly store: RegistryStore;
  readonly uploads: Uploads;
  readonly digests: KeyedLock;
  readonly clock: Clock;
}

export interface CollectorOptions {
  /** Blobs that no manifest needs stay so long after they were pushed or asked for; uploads seven times so long. */
  readonly graceMs: number;
  /** Manifests without a tag, and without anything that keeps them, go as well. */
  readonly untagged: boolean;
}

/** What a collection removed. */
export interface Collected {
  readonly uploads: number;
  readonly manifests: number;
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * Mark and sweep while clients push and pull. What a client was told is there stays for the grace period, so that the
 * manifest that counts on it can follow; bytes go under the lock under which they would become somebody's.
 */
export async function collect(parts: CollectorParts, options: CollectorOptions): Promise<Collected> {
  const { content, store, uploads, digests, clock } = parts;
  const grace = BigInt(options.graceMs) * 1_000_000n;
  const before = clock.now() - grace;
  const expired = await uploads.expire(clock.now() - 7n * grace);
  let manifests = 0;
  // Each round may set free what the round before has kept: children of an index, referrers of an image.
  for (let dropped = -1; options.untagged && dropped !== 0; manifests += dropped) {
    dropped = store.dropUntagged(before);
  }
  store.dropUnusedBlobs(before);
  let blobs = 0;
  let bytes = 0;
  for await (const { digest, size } of content.walk()) {
    if (store.isKept(digest)) continue;
    await using _lock = await digests.acquire(digest);
    if (store.isKept(digest)) continue;
    await content.remove(digest);
    blobs += 1;
    bytes += size;
  }
  return { uploads: expired, manifests, blobs, bytes };
}
