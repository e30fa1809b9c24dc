import { setImmediate } from 'node:timers/promises';
import type { EventMessage, EventSink } from '#events';
import { invalidArgument, isKind } from '#kernel';
import type { Filters } from '../filters.ts';
import { parseUntil } from '../timestamps.ts';

/** What removing one thing brought about. */
export interface Removal<Removed> {
  readonly removed: readonly Removed[];
  /** Bytes that were freed. */
  readonly bytes: number;
}

export interface PruneTask<Item, Removed> {
  readonly noun: EventMessage['Type'];
  readonly items: Iterable<Item>;
  remove(item: Item): Promise<Removal<Removed>>;
  /** Runs once all are gone; answers further bytes that were freed. */
  finish?(): Promise<number>;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}

/** Removes one thing after the other. What somebody uses by now, or has removed, is left out. */
export async function prune<Item, Removed>(task: PruneTask<Item, Removed>): Promise<Removal<Removed>> {
  const removed: Removed[] = [];
  let bytes = 0;
  for (const item of task.items) {
    task.signal.throwIfAborted();
    try {
      const removal = await task.remove(item);
      removed.push(...removal.removed);
      bytes += removal.bytes;
      // Other requests want to be answered between a thousand removals.
      await setImmediate();
    } catch (error) {
      if (!leftAlone.some((kind) => isKind(error, kind))) throw error;
    }
  }
  bytes += (await task.finish?.()) ?? 0;
  task.events.publish(task.noun, 'prune', '', { reclaimed: String(bytes) });
  return { removed, bytes };
}

const leftAlone = ['conflict', 'notFound', 'permissionDenied'] as const;

/** The one `until` of a prune, over times of creation in nanoseconds. Throws invalidArgument. */
export function untilTest(filters: Filters, now: bigint): (createdAt: bigint) => boolean {
  checkUntil(filters);
  const limits = filters.all('until').map((text) => parseUntil(text, now));
  return (createdAt) => limits.every((limit) => createdAt < limit);
}

/** Throws invalidArgument for several. */
export function checkUntil(filters: Filters): void {
  if (filters.all('until').length > 1) throw invalidArgument('more than one until filter specified');
}
