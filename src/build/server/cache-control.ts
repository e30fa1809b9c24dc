import { create } from '@bufbuild/protobuf';
import { timestampFromMs, type Timestamp } from '@bufbuild/protobuf/wkt';
import type { HandlerContext } from '@connectrpc/connect';
import { UsageRecordSchema, type DiskUsageRequest, type PruneRequest, type UsageRecord } from '#buildkit';
import type { CacheStore } from '../cache/cache-store.ts';
import type { CacheUsage } from '../cache/cache-usage.ts';
import { parseUsageFilter } from '../cache/usage-filter.ts';

/** The calls by which clients look at the cache and empty it. */
export const cacheControl = (
  cache: CacheStore,
): {
  diskUsage(request: DiskUsageRequest, context: HandlerContext): Promise<{ record: UsageRecord[] }>;
  prune(request: PruneRequest, context: HandlerContext): AsyncGenerator<UsageRecord, void>;
} => ({
  diskUsage: async ({ filter, ageLimit }, { signal }) => {
    const fits = parseUsageFilter(filter);
    const since = BigInt(Date.now()) * 1_000_000n - ageLimit;
    const records = (await cache.usage({ signal })).filter(
      (record) => fits(record) && (ageLimit === 0n || record.usedAt <= since),
    );
    return { record: records.map(viewUsage) };
  },
  async *prune(request, { signal }) {
    const { filter: filters, all, keepDuration } = request;
    const removed = await cache.prune(
      {
        ...{ filters, all, keepDuration, reservedSpace: Number(request.reservedSpace) },
        maxUsedSpace: Number(request.maxUsedSpace),
        minFreeSpace: Number(request.minFreeSpace),
      },
      { signal },
    );
    yield* removed.map(viewUsage);
  },
});

const timeOf = (nanoseconds: bigint): Timestamp => timestampFromMs(Number(nanoseconds / 1_000_000n));

const viewUsage = (record: CacheUsage): UsageRecord =>
  create(UsageRecordSchema, {
    id: record.id,
    mutable: record.isMutable,
    inUse: record.inUse,
    size: BigInt(record.bytes),
    createdAt: timeOf(record.createdAt),
    lastUsedAt: timeOf(record.usedAt),
    usageCount: BigInt(record.uses),
    description: record.description,
    recordType: record.kind,
    shared: record.isShared,
    parents: [...record.parents],
  });
