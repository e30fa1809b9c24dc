import type { ContentStore } from '#content';
import type { EventSink } from '#events';
import type { Images, ImageHolding, ImageUpkeep } from '#images';
import { isKind, messageOf, type Clock, type Logger } from '#kernel';
import type { Digest } from '#oci';
import type { DiskUser } from './accounting.ts';
import type { Bin } from './bin.ts';
import type { BuildCache } from './build-cache.ts';
import type { CollectOptions, CollectorReport, FreeSpace, Step } from './disk.ts';
import { ledgerWith, takeInventory, type InventoryOptions } from './inventory.ts';
import { keptLayers, planCollection, type CollectorRules, type Plan } from './plan.ts';

export interface CollectorOptions extends InventoryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventSink;
  readonly content: ContentStore;
  readonly images: Pick<Images, 'collectGarbage'>;
  readonly upkeep: ImageUpkeep;
  readonly bin: Bin;
  /** Undefined as long as there is no builder. */
  readonly cache: BuildCache | undefined;
  /** The daemon's id, for its events. */
  readonly daemonId: string;
  readonly containers: () => readonly DiskUser[];
  readonly lastUse: (image: Digest) => bigint | undefined;
  readonly space: () => FreeSpace;
  readonly rules: () => CollectorRules;
}

/** Frees room by last use: first what nobody can miss, then what can be had again. Callers run one at a time. */
export class Collector {
  readonly #options: CollectorOptions;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  async run(options: CollectOptions, signal: AbortSignal): Promise<CollectorReport> {
    const space = this.#options.space();
    const target = options.free ?? (space.free < space.low ? space.high : 0);
    const wanted = Math.max(0, target - space.free);
    const plan = await this.#plan(signal);
    const [chosen, next] = choose(plan, wanted);
    const explained = options.explain ? { next, kept: plan.kept } : {};
    if (options.dryRun) {
      return { space, wanted, removed: chosen, freed: sum(chosen), ...explained };
    }
    const removed: Step[] = [];
    for (const step of plan.free) removed.push(...(await this.#remove(step, signal)));
    // What was expected is not what was freed, so it is looked at after each step.
    for (const step of plan.needed) {
      if (sum(removed) >= wanted || (target > 0 && (await this.#isFree(target)))) break;
      signal.throwIfAborted();
      removed.push(...(await this.#remove(step, signal)));
    }
    const freed = sum(removed);
    this.#tell(options.cause, removed, freed, wanted);
    return { space: this.#options.space(), wanted, removed, freed, ...explained };
  }

  async #isFree(target: number): Promise<boolean> {
    await this.#options.snapshots.emptied();
    return this.#options.space().free >= target;
  }

  async #plan(signal: AbortSignal): Promise<Plan> {
    const { upkeep, bin, cache, content, clock, containers, lastUse, rules } = this.#options;
    const inventory = await takeInventory(this.#options, signal);
    const images = upkeep.holdings();
    const entries = (await cache?.usage({ signal })) ?? [];
    const ledger = ledgerWith(inventory, images, entries);
    const now = clock.now();
    return planCollection(
      {
        now,
        bin: await bin.list(signal),
        partial: await content.partials(),
        cache: entries,
        images,
        users: containers(),
        lastUse: (image: ImageHolding) => lastUse(image.id) ?? image.lastTaggedAt ?? now,
        kept: Math.max(
          0,
          ledgerWith(inventory, images, entries, { underWay: true }).unheld() - ledger.unheld(),
        ),
        ledger,
      },
      rules(),
    );
  }

  /** Nothing where it was used or gone meanwhile. */
  async #remove(step: Step, signal: AbortSignal): Promise<readonly Step[]> {
    const { upkeep, bin, cache, content, images, logger } = this.#options;
    try {
      let { bytes } = step;
      switch (step.kind) {
        case 'bin':
          bytes = await bin.remove({ kind: step.id.startsWith('sha256:') ? 'image' : 'volume', id: step.id });
          break;
        case 'layers':
          await images.collectGarbage({ interrupted: step.id === keptLayers });
          break;
        case 'partial downloads':
          bytes = await content.removePartials();
          break;
        case 'build cache':
          bytes = (await cache?.remove(step.id, { signal })) ?? 0;
          break;
        case 'image':
          // The step's id came from the images.
          bytes = (await upkeep.discard(step.id as Digest, step.reason)).bytes;
          break;
      }
      return [{ ...step, bytes }];
    } catch (error) {
      if (isKind(error, 'conflict') || isKind(error, 'notFound')) return [];
      logger.warn({ ...step, error: messageOf(error) }, 'the collector could not remove something');
      return [];
    }
  }

  #tell(cause: string, removed: readonly Step[], freed: number, wanted: number): void {
    const { logger, events, daemonId } = this.#options;
    if (removed.length === 0 && wanted === 0) return;
    for (const { kind, id, names, bytes, reason } of removed) {
      logger.info({ kind, id, names, bytes, reason, cause }, 'removed to make room');
    }
    const counts = { removed: String(removed.length), freed: String(freed), wanted: String(wanted) };
    events.publish('daemon', 'gc', daemonId, { cause, ...counts });
    if (freed < wanted) {
      logger.warn({ cause, freed, wanted }, 'the disk is low on space, and nothing more may be removed');
    }
  }
}

const sum = (steps: readonly Step[]): number => steps.reduce((total, { bytes }) => total + bytes, 0);

/** What goes for so many bytes, and what would go next. */
function choose({ free, needed }: Plan, wanted: number): [chosen: readonly Step[], next: readonly Step[]] {
  const chosen = [...free];
  let count = 0;
  while (count < needed.length && sum(chosen) < wanted) chosen.push(...needed.slice(count, ++count));
  return [chosen, needed.slice(count)];
}
