import type { BuildCache } from '#api/types';
import type { CacheEntry } from '#disk';
import { formatTime } from '#kernel';

/** A record of the build cache, as clients know it. */
export const viewCacheRecord = (record: CacheEntry): BuildCache => ({
  ID: record.id,
  ...(record.parents.length > 0 && { Parents: record.parents }),
  Type: record.kind,
  Description: record.description,
  InUse: record.inUse,
  Shared: record.isShared,
  Size: record.bytes,
  CreatedAt: formatTime(record.createdAt),
  LastUsedAt: formatTime(record.usedAt),
  UsageCount: record.uses,
});
