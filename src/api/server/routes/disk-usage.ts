import type { ContainerSummary, DiskUsage, ImageSummary, UsageOf, Volume } from '#api/types';
import { invalidArgument } from '#kernel';
import { ok } from '../answer.ts';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';
import { unlessGone } from '../unless-gone.ts';
import { viewSummary } from '../views/container-summary.ts';
import { viewImageSummary } from '../views/image.ts';
import { viewVolume } from '../views/volume.ts';
import { summaryFacts } from './container-list.ts';
import { containersByImage } from './image-list.ts';
import { volumeUsers } from './volumes.ts';

type UsageBackends = Omit<Backends, 'system' | 'auth' | 'events'>;

const types = ['container', 'image', 'volume', 'build-cache'];

/** GET /system/df, and pruning the cache of builds, which is empty as long as there are none. */
export function diskUsageRoutes(backends: UsageBackends): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/system/df',
      operation: 'SystemDataUsage',
      handle: async (exchange) => ok(await diskUsage(backends, exchange)),
    },
    {
      method: 'POST',
      path: '/build/prune',
      operation: 'BuildPrune',
      handle: () => ok({ CachesDeleted: null, SpaceReclaimed: 0 }),
    },
  ];
}

async function diskUsage(backends: UsageBackends, { query }: Exchange): Promise<DiskUsage> {
  const asked = query.all('type');
  for (const type of asked) {
    if (!types.includes(type)) throw invalidArgument(`unknown object type: ${type}`);
  }
  const wants = (type: string): boolean => asked.length === 0 || asked.includes(type);
  const verbose = query.boolean('verbose');
  return {
    ...(wants('image') && { ImageUsage: usage(imageItems(backends), verbose) }),
    ...(wants('container') && { ContainerUsage: usage(await containerItems(backends), verbose) }),
    ...(wants('volume') && { VolumeUsage: usage(await volumeItems(backends), verbose) }),
    ...(wants('build-cache') && { BuildCacheUsage: usage([], verbose) }),
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

function imageItems(backends: UsageBackends): readonly Measured<ImageSummary>[] {
  const counts = containersByImage(backends);
  return backends.images.list().map((image) => {
    const containers = counts.get(image.id)?.length ?? 0;
    return { item: viewImageSummary(image, containers, 0), size: image.size, active: containers > 0 };
  });
}

async function containerItems(backends: UsageBackends): Promise<readonly Measured<ContainerSummary>[]> {
  const facts = summaryFacts(backends);
  const items: Measured<ContainerSummary>[] = [];
  for (const record of backends.containers.list()) {
    const size = await unlessGone(backends.containers.size(record.id));
    if (!size) continue;
    const { sizeRw: SizeRw, sizeRootFs: SizeRootFs } = size;
    items.push({
      item: { ...viewSummary(record, facts(record)), SizeRw, SizeRootFs },
      size: SizeRw,
      active: record.state.status === 'running' || record.state.status === 'restarting',
    });
  }
  return items;
}

async function volumeItems(backends: UsageBackends): Promise<readonly Measured<Volume>[]> {
  const users = volumeUsers(backends);
  const items: Measured<Volume>[] = [];
  for (const volume of backends.volumes.list()) {
    const Size = await unlessGone(backends.volumes.usage(volume.name));
    if (Size === undefined) continue;
    const RefCount = users.get(volume.name) ?? 0;
    items.push({ item: viewVolume(volume, { Size, RefCount }), size: Size, active: RefCount > 0 });
  }
  return items;
}
