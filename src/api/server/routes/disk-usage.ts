import type { BuildCache, ContainerSummary, DiskUsage, ImageSummary, UsageOf, Volume } from '#api/types';
import type { DiskUse } from '#disk';
import { invalidArgument } from '#kernel';
import { ok } from '../answer.ts';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';
import { viewCacheRecord } from '../views/cache-record.ts';
import { viewSummary } from '../views/container-summary.ts';
import { viewImageSummary } from '../views/image.ts';
import { viewVolume } from '../views/volume.ts';
import { summaryFacts } from './container-list.ts';
import { containersByImage } from './image-list.ts';
import { volumeUsers } from './volumes.ts';

type UsageBackends = Omit<Backends, 'system' | 'auth' | 'events'>;

const types = ['container', 'image', 'volume', 'build-cache'] as const;

/** GET /system/df. */
export function diskUsageRoutes(backends: UsageBackends): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/system/df',
      operation: 'SystemDataUsage',
      handle: async (exchange) => ok(await diskUsage(backends, exchange)),
    },
  ];
}

async function diskUsage(backends: UsageBackends, { query }: Exchange): Promise<DiskUsage> {
  const asked = query.all('type');
  for (const type of asked) {
    if (!types.some((known) => known === type)) throw invalidArgument(`unknown object type: ${type}`);
  }
  const wants = (type: string): boolean => asked.length === 0 || asked.includes(type);
  const verbose = query.boolean('verbose');
  const use = await backends.disk.use(new Set(types.filter(wants)));
  const { images, containers, volumes, cache, bin, records } = use;
  return {
    ...(images && { ImageUsage: imageUsage(backends, images, verbose) }),
    ...(containers && { ContainerUsage: usage(containerItems(backends, containers), verbose) }),
    ...(volumes && { VolumeUsage: usage(volumeItems(backends, volumes), verbose) }),
    ...(cache && { BuildCacheUsage: cacheUsage(cache, verbose) }),
    ...(bin &&
      records !== undefined && {
        Wharf: { Bin: { Count: bin.count, Images: bin.images, Volumes: bin.volumes }, Records: records },
      }),
  };
}

interface Measured<Item> {
  readonly item: Item;
  readonly size: number;
  readonly active: boolean;
}

function usage<Item>(measured: readonly Measured<Item>[], verbose: boolean): UsageOf<Item> {
  const sum = (list: readonly Measured<Item>[]): number => list.reduce((total, { size }) => total + size, 0);
  return {
    ActiveCount: measured.filter(({ active }) => active).length,
    TotalCount: measured.length,
    Reclaimable: sum(measured.filter(({ active }) => !active)),
    TotalSize: sum(measured),
    ...(verbose && { Items: measured.map(({ item }) => item) }),
  };
}

/** Layers that several images have count once, so the sum is not that of the items. */
function imageUsage(
  backends: UsageBackends,
  { each, layers, reclaimable }: NonNullable<DiskUse['images']>,
  verbose: boolean,
): UsageOf<ImageSummary> {
  const users = containersByImage(backends);
  const items = backends.images.list().flatMap((image): Measured<ImageSummary>[] => {
    const use = each.get(image.id);
    if (!use) return [];
    const containers = users.get(image.id)?.length ?? 0;
    const item = { ...viewImageSummary(image, containers, use.shared), Size: use.bytes };
    return [{ item, size: use.bytes, active: containers > 0 }];
  });
  return { ...usage(items, verbose), Reclaimable: reclaimable, TotalSize: layers };
}

function containerItems(
  backends: UsageBackends,
  bytes: NonNullable<DiskUse['containers']>,
): readonly Measured<ContainerSummary>[] {
  const facts = summaryFacts(backends);
  const items: Measured<ContainerSummary>[] = [];
  for (const record of backends.containers.list()) {
    const SizeRw = bytes.get(record.id);
    if (SizeRw === undefined) continue;
    const SizeRootFs = SizeRw + (backends.images.find(record.imageId)?.size ?? 0);
    items.push({
      item: { ...viewSummary(record, facts(record)), SizeRw, SizeRootFs },
      size: SizeRw,
      active: record.state.status === 'running' || record.state.status === 'restarting',
    });
  }
  return items;
}

/** What images need too is theirs. */
function cacheUsage(records: NonNullable<DiskUse['cache']>, verbose: boolean): UsageOf<BuildCache> {
  const measured = records.map((record) => ({
    item: viewCacheRecord(record),
    size: record.isShared ? 0 : record.bytes,
    active: record.inUse,
  }));
  return usage(measured, verbose);
}

/** Docker leaves out those whose options mount something else. */
function volumeItems(
  backends: UsageBackends,
  bytes: NonNullable<DiskUse['volumes']>,
): readonly Measured<Volume>[] {
  const users = volumeUsers(backends);
  return backends.volumes.list().flatMap((volume): Measured<Volume>[] => {
    const Size = bytes.get(volume.name);
    if (Size === undefined || Object.keys(volume.options).length > 0) return [];
    const RefCount = users.get(volume.name) ?? 0;
    return [{ item: viewVolume(volume, { Size, RefCount }), size: Size, active: RefCount > 0 }];
  });
}
