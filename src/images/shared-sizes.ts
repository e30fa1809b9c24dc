import type { Digest } from '#oci';
import type { Snapshotter } from '#snapshots';
import type { StoredImage } from './image-index.ts';

/** Bytes of the layers of each image that other images have too, by id. Reads no disk. */
export function sharedSizes(
  images: readonly StoredImage[],
  snapshots: Pick<Snapshotter, 'find'>,
): ReadonlyMap<Digest, number> {
  const uses = new Map<Digest, number>();
  for (const { model } of images) {
    for (const chainId of model.chainIds) uses.set(chainId, (uses.get(chainId) ?? 0) + 1);
  }
  const sizes = new Map<Digest, number>();
  const sizeOf = (chainId: Digest): number => {
    const size = sizes.get(chainId) ?? snapshots.find(chainId)?.size ?? 0;
    sizes.set(chainId, size);
    return size;
  };
  return new Map(
    images.map(({ model }) => {
      const shared = model.chainIds.filter((chainId) => (uses.get(chainId) ?? 0) > 1);
      return [model.id, shared.reduce((sum, chainId) => sum + sizeOf(chainId), 0)];
    }),
  );
}
