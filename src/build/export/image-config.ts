import type { BuiltLayer, LayerStack } from '#images';
import { formatTime, parseTime } from '#kernel';
import { digestOf, type HistoryEntry, type ImageConfig } from '#oci';
import { inlineCacheKey } from '../cache/cache-config.ts';
import type { PlannedImage } from '../graph/plan-options.ts';

export interface ConfigOptions {
  /** When the build ended, in RFC 3339. */
  readonly now: string;
  /** Seconds of SOURCE_DATE_EPOCH: nothing of this build is later. */
  readonly epoch?: number;
  /** The layers on top of the base were made one: it belongs to an entry of its own. */
  readonly isSquashed?: boolean;
  /** Which steps made the layers. */
  readonly inlineCache?: string;
}

/**
 * The text of an image's configuration. A step's entry has the time at which its layer was made, however long ago, and
 * entries without a layer that of the one before: so the same build gives the same image.
 */
export function configOf(
  planned: PlannedImage,
  layers: LayerStack,
  base: ImageConfig | undefined,
  options: ConfigOptions,
): string {
  const added = layers.slice(base?.rootfs.diff_ids.length ?? 0);
  const dated = datedHistory(planned, added, base?.created ?? options.now);
  const history = notLater(dated, planned.inheritedHistory, options.epoch);
  const config: ImageConfig = {
    architecture: planned.architecture,
    ...(planned.author !== undefined && { author: planned.author }),
    config: planned.config,
    created: earlier(history.at(-1)?.created ?? options.now, options.epoch),
    history,
    os: planned.os,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    ...(planned.variant !== undefined && planned.variant !== '' && { variant: planned.variant }),
    ...(options.inlineCache !== undefined && { [inlineCacheKey]: options.inlineCache }),
  };
  if (options.isSquashed !== true || added.length === 0) return JSON.stringify(config);
  return JSON.stringify({
    ...config,
    history: squashedHistory(history, planned.inheritedHistory, JSON.stringify(config)),
  });
}

/** As the legacy builder tells it: the steps have no layers any more, and an entry says what was made of them. */
function squashedHistory(
  history: readonly HistoryEntry[],
  inherited: number,
  config: string,
): readonly HistoryEntry[] {
  const own = history.slice(inherited).map((entry) => ({ ...entry, empty_layer: true }));
  const created = own.at(-1)?.created;
  const merged = {
    ...(created !== undefined && { created }),
    comment: `${inherited > 0 ? 'merge' : 'create new from'} ${digestOf(Buffer.from(config))}`,
  };
  return [...history.slice(0, inherited), ...own, merged];
}

/** What came with the base image keeps its times. */
const notLater = (
  history: readonly HistoryEntry[],
  inherited: number,
  epoch: number | undefined,
): readonly HistoryEntry[] =>
  history.map((entry, n) =>
    n < inherited || entry.created === undefined
      ? entry
      : { ...entry, created: earlier(entry.created, epoch) },
  );

function earlier(time: string, epoch: number | undefined): string {
  if (epoch === undefined) return time;
  const latest = BigInt(epoch) * 1_000_000_000n;
  return parseTime(time) > latest ? formatTime(latest) : time;
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
