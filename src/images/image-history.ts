import type { HistoryEntry } from '#oci';
import type { Snapshotter } from '#snapshots';
import type { StoredImage } from './image-index.ts';

export type ImageHistoryEntry = HistoryEntry & {
  readonly id: string;
  /** bytes */
  readonly size: number;
  readonly tags: readonly string[];
};

/** What made an image, newest first. Only the newest step has an id here: the others are not images. */
export function imageHistory(
  { record, model }: StoredImage,
  snapshots: Snapshotter,
): readonly ImageHistoryEntry[] {
  let layer = 0;
  const entries = (model.config.history ?? []).map((entry) => {
    const chainId = entry.empty_layer ? undefined : model.chainIds[layer];
    if (!entry.empty_layer) layer += 1;
    const size = (chainId && snapshots.find(chainId)?.size) ?? 0;
    return { ...entry, id: '<missing>', size, tags: [] as readonly string[] };
  });
  const newest = entries.pop();
  if (!newest) return [];
  return [{ ...newest, id: record.id, tags: record.tags }, ...entries.reverse()];
}
