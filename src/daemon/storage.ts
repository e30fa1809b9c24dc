import { join } from 'node:path';
import { createArchiver, type Archiver } from '#archive';
import { BuildCache } from '#build';
import type { ContainerRecord } from '#containers';
import { createLocalContentStore, type ContentStore } from '#content';
import { unpackingWithRoom, withRoom, type Room } from '#disk';
import { createImages, type LayerHolder } from '#images';
import { unavailable } from '#kernel';
import { Leases } from '#metadata';
import type { RegistryClient } from '#registry/client';
import {
  chooseSnapshotter,
  createCopySnapshotter,
  whyNoOverlay,
  type Snapshotter,
  type SnapshotterOptions,
} from '#snapshots';
import { LocalVolumes } from '#volumes';
import type { Configuration } from './configuration/configuration.ts';
import type { Foundation } from './foundation.ts';
import { ReloadableRegistry } from './reloadable-registry.ts';
import { wharfVersion } from './version.ts';

/** Who uses images and volumes. Containers come after them; their records are asked for through this. */
export interface Users {
  list: () => readonly ContainerRecord[];
}

/** Images, volumes and what they stand on. */
export interface Storage {
  readonly archiver: Archiver;
  readonly snapshots: Snapshotter;
  /** Name of the snapshotter as Docker's clients know it. */
  readonly driver: string;
  readonly registry: RegistryClient;
  readonly images: ReturnType<typeof createImages>;
  readonly volumes: LocalVolumes;
  readonly content: ContentStore;
  readonly leases: Leases;
  /** It holds layers, so the images know it from their beginning on. */
  readonly buildCache: BuildCache;
  /** What writes ask for room; nobody gives any until there is a collector. */
  readonly room: { -readonly [Name in keyof Room]: Room[Name] };
}

export async function openStorage(
  foundation: Foundation,
  users: Users,
  opened: AsyncDisposableStack,
): Promise<Storage> {
  const { configuration, root } = foundation;
  const archiver = opened.use(createArchiver());
  const { driver, snapshotter } = openSnapshotter(configuration.storageDriver, {
    ...foundation,
    root: join(root, 'snapshots'),
    archiver,
  });
  const snapshots = opened.use(snapshotter);
  await snapshots.start();
  const registry = opened.use(new ReloadableRegistry(foundation.live));
  const volumes = openVolumes(foundation, users, archiver);
  await volumes.start();
  const leases = new Leases(foundation.db, foundation.clock);
  leases.start();
  const room: Storage['room'] = { make: () => Promise.resolve() };
  const content = createLocalContentStore({ root: join(root, 'content'), clock: foundation.clock });
  await content.start();
  const buildCache = new BuildCache(foundation.db, foundation.clock);
  const parts = { ...foundation, archiver, snapshots, registry, leases, content, room, holder: buildCache };
  const images = opened.use(await openImages(parts, users));
  return { archiver, snapshots, driver, registry, images, volumes, content, leases, room, buildCache };
}

/** The snapshotter asked for, or what the data root can hold. */
function openSnapshotter(
  asked: Configuration['storageDriver'],
  options: SnapshotterOptions,
): { readonly driver: string; readonly snapshotter: Snapshotter } {
  if (asked === 'copy') return { driver: 'copy', snapshotter: createCopySnapshotter(options) };
  if (asked === 'overlay2') {
    const reason = whyNoOverlay(options.root);
    if (reason !== undefined) {
      throw unavailable(`--storage-driver overlay2 is not possible on ${options.root}: ${reason}`);
    }
  }
  const { name, snapshotter } = chooseSnapshotter(options);
  return { driver: name === 'overlay' ? 'overlay2' : name, snapshotter };
}

const openVolumes = (foundation: Foundation, users: Users, archiver: Archiver): LocalVolumes =>
  new LocalVolumes({
    ...foundation,
    measure: async (folder) => {
      const { allocated } = await archiver.usage(folder, { signal: new AbortController().signal });
      return allocated;
    },
    root: join(foundation.root, 'volumes'),
    publish: (action, { name, driver }) => foundation.events.publish('volume', action, name, { driver }),
    users: (name) =>
      users
        .list()
        .filter(({ mounts }) => mounts.some((mount) => mount.name === name))
        .map(({ id }) => id),
  });

async function openImages(
  parts: Foundation &
    Pick<Storage, 'archiver' | 'snapshots' | 'registry' | 'content' | 'leases' | 'room'> & {
      readonly holder: LayerHolder;
    },
  users: Users,
): Promise<ReturnType<typeof createImages>> {
  const { live, room } = parts;
  const images = createImages({
    ...parts,
    engineVersion: wharfVersion,
    content: withRoom(parts.content, room),
    archiver: unpackingWithRoom(parts.archiver, room),
    concurrentDownloads: () => live.current.registry.downloads,
    concurrentUploads: () => live.current.registry.uploads,
    downloadAttempts: () => live.current.registry.attempts,
    maximumLayer: () => live.current.registry.layerSize,
    users: (image) =>
      users
        .list()
        .filter(
          ({ imageId, mounts }) => imageId === image || mounts.some((mount) => mount.image?.id === image),
        )
        .map(({ id, state }) => ({ containerId: id, running: state.status === 'running' })),
  });
  await images.start();
  return images;
}
