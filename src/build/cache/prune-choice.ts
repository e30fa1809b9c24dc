import { privateBytes, type CacheUsage } from './cache-usage.ts';
import { parseUsageFilter } from './usage-filter.ts';

/** What a prune may take, by BuildKit's names; bytes, nanoseconds. 0: not asked. */
export interface PruneRules {
  /** Also what images need: the builder forgets it, and nothing is freed. */
  readonly all: boolean;
  readonly filters: readonly string[];
  /** Only what was not used for so long. */
  readonly keepDuration: bigint;
  /** As much cache always stays. */
  readonly reservedSpace: number;
  /** No more cache than this stays. */
  readonly maxUsedSpace: number;
  /** So much of the disk shall be free. */
  readonly minFreeSpace: number;
}

/** Everything that no build uses and no image needs. */
export const pruneUnused: PruneRules = {
  all: false,
  filters: [],
  keepDuration: 0n,
  reservedSpace: 0,
  maxUsedSpace: 0,
  minFreeSpace: 0,
};

/**
 * Which records go, in order. Where an amount of space is asked for, the least recently used go first and no more than
 * needed. A record stays as long as others stand on it. Throws invalidArgument for a filter that is none.
 */
export function choosePruned(
  records: readonly CacheUsage[],
  rules: PruneRules,
  found: { readonly now: bigint; readonly freeSpace: number },
): readonly CacheUsage[] {
  const fits = parseUsageFilter(rules.filters);
  const mayGo = (record: CacheUsage): boolean =>
    !record.inUse &&
    (rules.all || !record.isShared) &&
    (rules.keepDuration === 0n || found.now - record.usedAt >= rules.keepDuration) &&
    fits(record);
  const kept = keptBytes(privateBytes(records), rules, found.freeSpace);
  let total = privateBytes(records);
  const left = new Map(records.map((record) => [record.id, record]));
  const children = new Map<string, number>();
  for (const { parents } of records) for (const id of parents) children.set(id, (children.get(id) ?? 0) + 1);
  const chosen: CacheUsage[] = [];
  const byUse = records.filter(mayGo).sort((a, b) => Number(a.usedAt - b.usedAt));
  for (let progress = true; progress;) {
    progress = false;
    for (const record of byUse) {
      if (!left.has(record.id) || (children.get(record.id) ?? 0) > 0) continue;
      if (kept !== undefined && total <= kept) return chosen;
      left.delete(record.id);
      for (const id of record.parents) children.set(id, (children.get(id) ?? 0) - 1);
      chosen.push(record);
      if (!record.isShared) total -= record.bytes;
      progress = true;
      // With an amount to reach, what the removal has uncovered may have been used longer ago than the next.
      if (kept !== undefined) break;
    }
  }
  return chosen;
}

/** Bytes of cache that may stay; undefined: no amount is asked for. */
function keptBytes(total: number, rules: PruneRules, freeSpace: number): number | undefined {
  const { reservedSpace, maxUsedSpace, minFreeSpace } = rules;
  if (reservedSpace === 0 && maxUsedSpace === 0 && minFreeSpace === 0) return undefined;
  const lacking = Math.max(0, minFreeSpace - freeSpace);
  let kept = maxUsedSpace;
  if (minFreeSpace > 0) {
    const without = total - lacking;
    kept = maxUsedSpace === 0 ? without : Math.min(maxUsedSpace, without);
  }
  return Math.max(kept, reservedSpace);
}
