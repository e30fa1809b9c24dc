import type { ContentStore } from '#content';
import { EngineError, messageOf, type Logger } from '#kernel';
import type { Leases } from '#metadata';
import { isDigest, type Digest, type Platform } from '#oci';
import type { Snapshotter } from '#snapshots';
import type { Claims } from './claims.ts';
import type { ImageIndex, ImageRow } from './image-index.ts';
import { buildPrefix } from './image-building.ts';
import { unpackPrefix } from './layer-unpacker.ts';
import { findMissingBlob, readImageModel } from './stored-image.ts';

export interface ImageGarbageOptions {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly claims: Claims;
  readonly leases: Leases;
  readonly index: ImageIndex;
  readonly logger: Logger;
  readonly platform: Platform;
}

/**
 * Reads the images that the tables name into memory. One whose blobs or snapshots are gone is dropped with a warning:
 * it could be neither run nor pushed.
 */
export async function restoreImages(options: ImageGarbageOptions): Promise<void> {
  const { index, logger } = options;
  for (const row of index.rows()) {
    const why = await restore(row, options);
    if (why === undefined) continue;
    logger.warn({ image: row.id, why }, 'image dropped: it is no longer whole');
    index.remove([], [row.id]);
  }
}

/** Resolves to what is wrong with an image that cannot be restored. */
async function restore(row: ImageRow, options: ImageGarbageOptions): Promise<string | undefined> {
  const { index, content, snapshots, platform } = options;
  try {
    const model = await readImageModel(content, row.target, platform, row.manifest);
    const layers = model.layers.map((layer) => layer.digest);
    const missing = await findMissingBlob(content, layers);
    if (missing) return `blob ${missing} is missing`;
    const unmade = model.chainIds.find((chainId) => snapshots.find(chainId)?.kind !== 'committed');
    if (unmade) return `snapshot ${unmade} is missing`;
    index.restore(model, row.size);
    return undefined;
  } catch (error) {
    // A disk that cannot be read is no reason to forget what is on it.
    if (!(error instanceof EngineError)) throw error;
    return messageOf(error);
  }
}

/** Removes snapshots and blobs that no image, container or operation under way needs. */
export async function collectImageGarbage(
  options: ImageGarbageOptions,
): Promise<{ readonly removed: readonly Digest[]; readonly bytes: number }> {
  const { content, claims } = options;
  await sweepSnapshots(options);
  const removed: Digest[] = [];
  let bytes = 0;
  for await (const { digest, size } of content.walk()) {
    if (!(await claims.sweepBlob(digest))) continue;
    removed.push(digest);
    bytes += size;
  }
  return { removed, bytes };
}

/** Whether a writable snapshot is that of an operation, rather than a container's. */
const isPassing = (key: string): boolean => key.startsWith(unpackPrefix) || key.startsWith(buildPrefix);

async function sweepSnapshots({ snapshots, claims, leases }: ImageGarbageOptions): Promise<void> {
  const leased = leases.items('snapshot');
  for (const { key, kind } of snapshots.list()) {
    if (kind === 'active' && isPassing(key) && !leased.has(key)) await snapshots.remove(key);
  }
  // A parent can go once its last child is gone: from the leaves down, until a round removes nothing.
  for (let progress = true; progress;) {
    progress = false;
    const committed = snapshots.list().filter(({ kind }) => kind === 'committed');
    for (const { key } of committed) {
      if (isDigest(key) && (await claims.sweepSnapshot(key))) progress = true;
    }
  }
}
