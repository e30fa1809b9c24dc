import type { HistoryEntry } from '#oci';
import type { Snapshotter } from '#snapshots';
import type { StoredImage } from './image-index.ts';
import type { ImageRecord } from './images.ts';

export type ImageHistoryEntry = HistoryEntry & {
  readonly id: string;
  /** bytes */
  readonly size: number;
  readonly tags: readonly string[];
};

/**
 * What made an image, newest first. The newest step of the image, of the one it was committed on and so on have ids;
 * the others are not images.
 */
export function imageHistory(
  { record, model }: StoredImage,
  snapshots: Snapshotter,
  parentOf: (record: ImageRecord) => ImageRecord | undefined,
): readonly ImageHistoryEntry[] {
  let layer = 0;
  const entries = (model.config.history ?? []).map((entry) => {
    const chainId = entry.empty_layer ? undefined : model.chainIds[layer];
    if (!entry.empty_layer) layer += 1;
    const size = (chainId && snapshots.find(chainId)?.size) ?? 0;
    return { ...entry, id: '<missing>', size, tags: [] as readonly string[] };
  });
  let image: ImageRecord | undefined = record;
  return entries.reverse().map((entry) => {
    if (!image) return entry;
    const { id, tags } = image;
    image = parentOf(image);
    return { ...entry, id, tags };
  });
}
