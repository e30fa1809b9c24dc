import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createApiServer, newestApiVersion, type ApiServer } from '#api/server';
import type { AuthConfig } from '#api/types';
import { createArchiver, type Archiver } from '#archive';
import { allCapabilities, LocalContainers, type ContainerRecord } from '#containers';
import { createLocalContentStore } from '#content';
import { EventBroker } from '#events';
import { createImages, type Images } from '#images';
import { isKind, messageOf, systemClock, unavailable, type Clock, type Logger } from '#kernel';
import { makePrivate, prepareCgroups, unmountIfMounted, type CgroupPreparation } from '#linux';
import { Database, Leases } from '#metadata';
import { createNetworks, teardown } from '#networks';
import { createRegistryClient, type RegistryClient } from '#registry/client';
import { createCrunRuntime } from '#runtime';
import {
  chooseSnapshotter,
  createCopySnapshotter,
  whyNoOverlay,
  type Snapshotter,
  type SnapshotterOptions,
} from '#snapshots';
import { LocalVolumes } from '#volumes';
import type { Configuration } from './configuration/configuration.ts';
import { openDataRoot } from './data-root.ts';
import { engineHost, findInit, hostDefaults } from './engine-host.ts';
import { fileSystemOf, readHostFacts } from './host-facts.ts';
import { openListeners } from './listeners.ts';
import { networkOptions } from './network-options.ts';
import { chooseRuntime, programs } from './programs.ts';
import { SystemFacts } from './system-info.ts';
import { wharfVersion } from './version.ts';

/** A running engine. Disposing it leaves containers, networks and rules as they are. */
export interface Engine extends AsyncDisposable {
  readonly version: string;
  /** Puts the installed supervisor in the running one's place. */
  upgradeSupervisor(): Promise<void>;
  /** An orderly end: without live-restore containers are stopped; with none left running the host is tidied up. */
  stop(): Promise<void>;
}

/** What every part is given. */
interface Shared {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventBroker;
}

/** Opens the data root, brings everything up in the order of the layers, and listens last. */
export async function startEngine(configuration: Configuration, logger: Logger): Promise<Engine> {
  await using opened = new AsyncDisposableStack();
  const { path: root, instance } = opened.use(openDataRoot(configuration.dataRoot));
  const runFolder = openRunFolder(configuration, instance);
  const cgroups = readyCgroups(logger);
  const abort = new AbortController();
  const db = opened.use(new Database(join(root, 'wharf.db')));
  const shared: Shared = { db, clock: systemClock, logger, events: new EventBroker(systemClock) };
  const facts = readHostFacts(allCapabilities);
  const chosen = chooseRuntime(configuration.containers.runtime);

  const archiver = opened.use(createArchiver());
  const storage = openSnapshotter(configuration.storageDriver, {
    ...shared,
    root: join(root, 'snapshots'),
    archiver,
  });
  const snapshots = opened.use(storage.snapshotter);
  await snapshots.start();
  const registry = opened.use(registryClient(configuration));
  const runtime = opened.use(
    createCrunRuntime({
      ...programs(),
      name: chosen.name,
      runFolder,
      binary: chosen.path,
      ociRoot: join(runFolder, 'oci'),
      logger,
    }),
  );
  const networks = opened.use(
    createNetworks({ ...shared, instance, runFolder, ...networkOptions(configuration) }),
  );
  const users: Users = { list: () => [] };
  const volumes = new LocalVolumes({
    ...shared,
    root: join(root, 'volumes'),
    publish: (action, { name, driver }) => shared.events.publish('volume', action, name, { driver }),
    users: (name) =>
      users.list().flatMap(({ id, mounts }) => (mounts.some((mount) => mount.name === name) ? [id] : [])),
  });
  await volumes.start();
  const images = await openImages({ ...shared, root, archiver, snapshots, registry, configuration, users });
  const containers = opened.use(
    new LocalContainers({
      ...shared,
      archiver,
      snapshots,
      runtime,
      networks,
      volumes,
      images,
      root: join(root, 'containers'),
      bundles: join(runFolder, 'bundles'),
      host: engineHost({
        configuration,
        facts,
        cgroup2: cgroups.host.mode === 'v2',
        instance,
        runtimes: Object.keys(chosen.all),
        logger,
      }),
      defaults: hostDefaults(configuration, cgroups.host.mode === 'v2', chosen.name),
      signal: abort.signal,
    }),
  );
  users.list = () => containers.list();
  containers.load();
  await runtime.start();
  await containers.restore(await runtime.list(), (live) => networks.start(live));

  const system = new SystemFacts({
    configuration,
    facts,
    cgroups: cgroups.host,
    db,
    apiVersion: newestApiVersion,
    storage: { driver: storage.driver, fileSystem: fileSystemOf(root) },
    runtime: chosen,
    initPath: findInit(),
  });
  const server = opened.use(
    createApiServer({
      engineVersion: wharfVersion,
      logger,
      backends: {
        containers,
        images,
        networks,
        volumes,
        events: shared.events,
        system,
        auth: { login: (credentials, options) => login(registry, credentials, options) },
        clock: systemClock,
        storageDriver: storage.driver,
      },
    }),
  );
  await openListeners(server, configuration, logger);
  opened.defer(() => {
    abort.abort(new Error('the daemon is stopping'));
  });
  const owned = opened.move();
  return {
    version: wharfVersion,
    upgradeSupervisor: () => runtime.upgrade(),
    stop: () => stop({ server, containers, configuration, logger }),
    [Symbol.asyncDispose]: async () => {
      const idle = containers.list().every(({ state }) => state.status !== 'running');
      await owned.disposeAsync();
      // With nothing left running the host gets back what this instance had on it.
      if (!idle) return;
      await teardown({ instance, runFolder, iptables: configuration.network.iptables });
      for (const folder of [runFolder, root]) unmountIfMounted(folder, { lazy: true });
    },
  };
}

/** Who uses images and volumes; containers come last, and their records are asked for through this. */
interface Users {
  list: () => readonly ContainerRecord[];
}

function openRunFolder(configuration: Configuration, instance: string): string {
  const { execRoot } = configuration;
  const folder = instance === 'default' || execRoot !== '/run/wharf' ? execRoot : join(execRoot, instance);
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  makePrivate(folder);
  return folder;
}

function readyCgroups(logger: Logger): CgroupPreparation {
  const cgroups = prepareCgroups();
  for (const { controller, path } of cgroups.mounted) {
    logger.info(
      { controller, path },
      'mounted a controller of the hybrid hierarchy where the OCI runtime wants it',
    );
  }
  return cgroups;
}

/** The snapshotter asked for, or what the data root can hold; with the name that Docker's clients know it by. */
function openSnapshotter(
  asked: Configuration['storageDriver'],
  options: SnapshotterOptions,
): { readonly driver: string; readonly snapshotter: Snapshotter } {
  if (asked === 'copy') return { driver: 'copy', snapshotter: createCopySnapshotter(options) };
  if (asked === 'overlay2') {
    const reason = whyNoOverlay(options.root);
    if (reason !== undefined)
      throw unavailable(`--storage-driver overlay2 is not possible on ${options.root}: ${reason}`);
  }
  const { name, snapshotter } = chooseSnapshotter(options);
  return { driver: name === 'overlay' ? 'overlay2' : name, snapshotter };
}

const registryClient = ({ registry }: Configuration): RegistryClient =>
  createRegistryClient({
    mirrors: registry.mirrors,
    insecureRegistries: registry.insecure,
    userAgent: `wharf/${wharfVersion} (linux)`,
  });

async function openImages(
  options: Shared & {
    readonly root: string;
    readonly archiver: Archiver;
    readonly snapshots: Snapshotter;
    readonly registry: RegistryClient;
    readonly configuration: Configuration;
    readonly users: Users;
  },
): Promise<Images> {
  const { configuration, users, root, clock, db } = options;
  const content = createLocalContentStore({ root: join(root, 'content'), clock });
  await content.start();
  const leases = new Leases(db, clock);
  leases.start();
  const images = createImages({
    ...options,
    leases,
    content,
    concurrentDownloads: configuration.registry.downloads,
    concurrentUploads: configuration.registry.uploads,
    users: (image) =>
      users
        .list()
        .filter(({ imageId }) => imageId === image)
        .map(({ id, state }) => ({ containerId: id, running: state.status === 'running' })),
  });
  await images.start();
  return images;
}

async function login(
  registry: RegistryClient,
  credentials: AuthConfig,
  options: { readonly signal: AbortSignal },
): Promise<string> {
  const { username, password, identitytoken, serveraddress } = credentials;
  return registry.login(
    serveraddress ?? '',
    {
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(identitytoken !== undefined && { identitytoken }),
    },
    options,
  );
}

interface Stopping {
  readonly server: ApiServer;
  readonly containers: LocalContainers;
  readonly configuration: Configuration;
  readonly logger: Logger;
}

async function stop(parts: Stopping): Promise<void> {
  const { server, containers, configuration, logger } = parts;
  await server.close();
  const running = (): readonly ContainerRecord[] =>
    containers.list().filter(({ state }) => state.status === 'running');
  if (!configuration.liveRestore) {
    const signal = AbortSignal.timeout(configuration.shutdownTimeout * 1000);
    await Promise.all(
      running().map(async ({ id }) =>
        containers.stop(id, { signal }).catch((error: unknown) => {
          if (!isKind(error, 'notModified'))
            logger.warn({ container: id, error: messageOf(error) }, 'a container did not stop');
        }),
      ),
    );
  }
  if (running().length > 0)
    logger.info({ running: running().length }, 'containers go on running without the daemon');
}
