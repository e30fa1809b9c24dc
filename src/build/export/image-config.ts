import type { BuiltLayer, LayerStack } from '#images';
import type { HistoryEntry, ImageConfig } from '#oci';
import type { PlannedImage } from '../graph/plan-options.ts';

/**
 * The text of an image's configuration. A step's entry has the time at which its layer was made, however long ago, and
 * entries without a layer that of the one before: so the same build gives the same image.
 */
export function configOf(
  planned: PlannedImage,
  layers: LayerStack,
  base: ImageConfig | undefined,
  now: string,
): string {
  const history = datedHistory(
    planned,
    layers.slice(base?.rootfs.diff_ids.length ?? 0),
    base?.created ?? now,
  );
  const config: ImageConfig = {
    architecture: planned.architecture,
    ...(planned.author !== undefined && { author: planned.author }),
    config: planned.config,
    created: history.at(-1)?.created ?? now,
    history,
    os: planned.os,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    ...(planned.variant !== undefined && planned.variant !== '' && { variant: planned.variant }),
  };
  return JSON.stringify(config);
}

function datedHistory(
  planned: PlannedImage,
  added: readonly BuiltLayer[],
  otherwise: string,
): HistoryEntry[] {
  const inherited = planned.history.slice(0, planned.inheritedHistory);
  let time = added[0]?.createdAt ?? otherwise;
  let next = 0;
  const own = planned.history.slice(planned.inheritedHistory).map((entry) => {
    if (entry.empty_layer !== true) {
      time = added[next]?.createdAt ?? time;
      next += 1;
    }
    return { ...entry, created: time };
  });
  return [...inherited, ...own];
}
