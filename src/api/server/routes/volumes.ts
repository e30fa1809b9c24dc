import { parseVolumeCreateRequest, type VolumeListResponse, type VolumesPruneResponse } from '#api/types';
import { EngineError, invalidArgument, messageOf } from '#kernel';
import type { VolumeRecord } from '#volumes';
import { created, noContent, ok } from '../answer.ts';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import type { Filters } from '../filters.ts';
import { named, type Route } from '../route.ts';
import { viewVolume } from '../views/volume.ts';
import { prune } from './prune.ts';

type VolumeBackends = Pick<Backends, 'volumes' | 'containers' | 'events' | 'disk'>;

export function volumeRoutes(backends: VolumeBackends): readonly Route[] {
  const { volumes } = backends;
  return [
    {
      method: 'GET',
      path: '/volumes',
      operation: 'VolumeList',
      handle: (exchange) => {
        const Volumes = list(backends, exchange).map((volume) => viewVolume(volume));
        const answer: VolumeListResponse = { Volumes, Warnings: null };
        return ok(answer);
      },
    },
    {
      method: 'POST',
      path: '/volumes/create',
      operation: 'VolumeCreate',
      handle: async (exchange) => {
        const request = await exchange.body(parseVolumeCreateRequest);
        const volume = await volumes.create({
          ...(request.Name && { name: request.Name }),
          ...(request.Driver && { driver: request.Driver }),
          ...(request.Labels && { labels: request.Labels }),
          ...(request.DriverOpts && { options: request.DriverOpts }),
        });
        return created(viewVolume(volume));
      },
    },
    {
      method: 'POST',
      path: '/volumes/prune',
      operation: 'VolumePrune',
      handle: async (exchange) => ok(await pruneVolumes(backends, exchange)),
    },
    ...(['lock', 'unlock'] as const).map((verb): Route => ({
      // Not in Docker's API.
      method: 'POST',
      path: named('volumes', `/${verb}`),
      operation: verb === 'lock' ? 'VolumeLock' : 'VolumeUnlock',
      handle: async ({ name }) => {
        await volumes.setLocked(name, verb === 'lock');
        return noContent;
      },
    })),
    {
      method: 'GET',
      path: named('volumes'),
      operation: 'VolumeInspect',
      handle: (exchange) => ok(viewVolume(volumes.get(exchange.name))),
    },
    {
      method: 'DELETE',
      path: named('volumes'),
      operation: 'VolumeDelete',
      handle: async (exchange) => {
        await volumes.remove(exchange.name, { force: exchange.query.boolean('force') });
        return noContent;
      },
    },
  ];
}

/** How many containers use each volume, by name. */
export function volumeUsers({ containers }: Pick<Backends, 'containers'>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const record of containers.list()) {
    for (const { name } of record.mounts) {
      if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}

function list(backends: VolumeBackends, { query }: Exchange): readonly VolumeRecord[] {
  const filters = readFilters(query);
  const dangling = filters.boolean('dangling');
  const users = volumeUsers(backends);
  return backends.volumes
    .list()
    .filter(
      (volume) =>
        (dangling === undefined || dangling !== users.has(volume.name)) &&
        filters.exact('driver', volume.driver) &&
        filters.pattern('name', volume.name) &&
        filters.labels(viewVolume(volume).Labels),
    );
}

/** Says what it was reading, unlike the lists of other nouns. */
function readFilters(query: Exchange['query']): Filters {
  try {
    return query.filters(['dangling', 'driver', 'label', 'label!', 'name']);
  } catch (error) {
    if (messageOf(error) !== 'invalid filter') throw error;
    throw new EngineError('invalidArgument', 'error reading volume filters: invalid filter', {
      cause: error,
    });
  }
}

/** Removes unused volumes that nobody named; with the filter `all` the named ones too. */
async function pruneVolumes(
  backends: VolumeBackends,
  { query, signal }: Exchange,
): Promise<VolumesPruneResponse> {
  const { volumes, disk, events } = backends;
  const filters = query.filters(['all', 'label', 'label!']);
  const all = allFilter(filters);
  const used = volumeUsers(backends);
  const now = query.boolean('now');
  const { binned, volume: remove } = disk.prune({ now });
  const { removed, bytes } = await prune({
    noun: 'volume',
    items: volumes
      .list()
      .filter((volume) => !used.has(volume.name) && (all || volume.anonymous) && !volume.locked)
      .filter((volume) => filters.labels(viewVolume(volume).Labels)),
    remove: async ({ name }) => ({ bytes: await remove(name), removed: [name] }),
    ...(now && { finish: () => disk.empty(new Set(['volume'])) }),
    events,
    signal,
  });
  return {
    VolumesDeleted: removed,
    SpaceReclaimed: bytes,
    ...(binned && removed.length > 0 && { Wharf: { Binned: true } }),
  };
}

function allFilter(filters: Filters): boolean {
  const values = filters.all('all');
  if (values.length > 1) {
    throw invalidArgument(`invalid filter 'all=[${values.join(' ')}]': only one value is expected`);
  }
  const [text = 'false'] = values;
  if (/^(?:1|t|true)$/i.test(text)) return true;
  if (/^(?:0|f|false)$/i.test(text)) return false;
  throw invalidArgument(
    `invalid filter 'all': strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}
