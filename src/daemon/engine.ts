import { join } from 'node:path';
import { createApiServer, newestApiVersion, type ApiServer } from '#api/server';
import type { AuthConfig } from '#api/types';
import { LocalContainers } from '#containers';
import { createDisk, type Disk } from '#disk';
import type { Logger } from '#kernel';
import { Cgroup, unmakePrivate } from '#linux';
import { createNetworks, teardown, type Networks } from '#networks';
import type { RegistryClient } from '#registry/client';
import { createCrunRuntime, type Runtime } from '#runtime';
import { openBuilder, type Builder } from './builder.ts';
import type { Configuration } from './configuration/configuration.ts';
import { engineHost, findInit, hostDefaults, ownCgroupParent } from './engine-host.ts';
import { openFoundation, type Foundation } from './foundation.ts';
import { fileSystemOf } from './host-facts.ts';
import { openListeners } from './listeners.ts';
import { reloadAttributes } from './live-configuration.ts';
import { networkOptions } from './network-options.ts';
import { programs } from './programs.ts';
import { isHostStopping, supervisorUnit } from './service-manager.ts';
import { openStorage, type Storage, type Users } from './storage.ts';
import { SystemFacts } from './system-info.ts';
import { wharfVersion } from './version.ts';

/** A running engine. Disposing it leaves running containers, with their networks and rules, as they are. */
export interface Engine extends AsyncDisposable {
  readonly version: string;
  /** Puts the installed supervisor in the running one's place. */
  upgradeSupervisor(): Promise<void>;
  /** Takes over what may change while it runs; answers the names of settings that need a new start. */
  reload(configuration: Configuration): readonly string[];
  /** An orderly end: without live-restore containers are stopped. To be disposed afterwards. */
  stop(): Promise<void>;
}

/** Opens the data root, brings everything up in the order of the layers, and listens last. */
export async function startEngine(configuration: Configuration, logger: Logger): Promise<Engine> {
  await using opened = new AsyncDisposableStack();
  const foundation = openFoundation(configuration, logger, opened);
  const { runFolder, instance, root } = foundation;
  const users: Users = { list: () => [] };
  const storage = await openStorage(foundation, users, opened);
  const runtime = opened.use(
    createCrunRuntime({
      ...programs(),
      ...supervisorUnit(),
      name: foundation.runtime.name,
      runFolder,
      binary: foundation.runtime.path,
      ociRoot: join(runFolder, 'oci'),
      logger,
    }),
  );
  const networks = opened.use(createNetworks({ ...foundation, ...networkOptions(configuration) }));
  const abort = new AbortController();
  const containers = opened.use(
    openContainers({ foundation, storage, runtime, networks, signal: abort.signal }),
  );
  users.list = () => containers.list();
  containers.load();
  await runtime.start();
  await containers.restore(await runtime.list(), (live) => networks.start(live));
  const system = systemOf(foundation, storage);
  const builder = await openBuilder({ foundation, storage, containers, networks }, opened);
  const disk = opened.use(openDisk({ foundation, storage, containers, system, builder }));
  const server = opened.use(serverOf({ foundation, storage, networks, containers, system, disk, builder }));
  disk.start();
  await openListeners(server, runtime, configuration, logger);
  opened.defer(() => {
    abort.abort(new Error('the daemon is stopping'));
  });
  const owned = opened.move();
  return {
    version: wharfVersion,
    upgradeSupervisor: () => runtime.upgrade(),
    reload: (next) => {
      const { live, facts, events } = foundation;
      const waiting = live.replace(next);
      const attributes = reloadAttributes(live.current, facts.hostname, foundation.runtime.name);
      events.publish('daemon', 'reload', system.id, attributes);
      return waiting;
    },
    stop: () => stop(server, containers, foundation),
    [Symbol.asyncDispose]: async () => {
      const idle = containers.list().every(({ state }) => state.status !== 'running');
      await owned.disposeAsync();
      // With nothing left running the host gets back what this instance had on it.
      if (!idle) return;
      new Cgroup(foundation.cgroups, ownCgroupParent(instance)).remove();
      await teardown({ instance, runFolder, iptables: configuration.network.iptables });
      for (const folder of [runFolder, root]) unmakePrivate(folder);
    },
  };
}

function openContainers(parts: {
  readonly foundation: Foundation;
  readonly storage: Storage;
  readonly runtime: Runtime;
  readonly networks: Networks;
  readonly signal: AbortSignal;
}): LocalContainers {
  const { foundation, storage } = parts;
  const { configuration, root, runFolder } = foundation;
  const cgroup2 = foundation.cgroups.mode === 'v2';
  return new LocalContainers({
    ...foundation,
    ...storage,
    runtime: parts.runtime,
    networks: parts.networks,
    signal: parts.signal,
    root: join(root, 'containers'),
    bundles: join(runFolder, 'bundles'),
    host: engineHost({ ...foundation, cgroup2, runtimes: foundation.runtime.all }),
    defaults: hostDefaults(configuration, cgroup2, foundation.runtime.name),
  });
}

function openDisk(parts: {
  readonly foundation: Foundation;
  readonly storage: Storage;
  readonly containers: LocalContainers;
  readonly system: SystemFacts;
  readonly builder: Builder;
}): Disk {
  const { foundation, storage, containers, system, builder } = parts;
  const disk = createDisk({
    ...foundation,
    ...storage,
    cache: builder.builds.cache,
    daemonId: system.id,
    containers: () =>
      containers.list().map(({ id, name, imageId, mounts }) => ({
        id,
        name,
        images: [imageId, ...mounts.flatMap(({ image }) => image?.id ?? [])],
      })),
    rules: () => foundation.live.current.disk,
  });
  storage.room.make = (bytes, cause) => disk.makeRoom(bytes, cause);
  return disk;
}

function serverOf(parts: {
  readonly foundation: Foundation;
  readonly storage: Storage;
  readonly networks: Networks;
  readonly containers: LocalContainers;
  readonly system: SystemFacts;
  readonly builder: Builder;
  readonly disk: Disk;
}): ApiServer {
  const { foundation, storage, networks, containers, system, disk, builder } = parts;
  const { clock, configuration, events, logger } = foundation;
  return createApiServer({
    engineVersion: wharfVersion,
    experimental: configuration.experimental,
    logger,
    serveHttp2: (socket) => void builder.buildKit.serve(socket),
    backends: {
      containers,
      images: storage.images,
      networks,
      volumes: storage.volumes,
      disk,
      ...builder,
      events,
      system,
      auth: {
        login: (credentials, options) => login(storage.registry, credentials, options),
        search: (...args) => storage.registry.search(...args),
      },
      clock,
      storageDriver: storage.driver,
    },
  });
}

const systemOf = (foundation: Foundation, storage: Storage): SystemFacts =>
  new SystemFacts({
    ...foundation,
    apiVersion: newestApiVersion,
    storage: { driver: storage.driver, fileSystem: fileSystemOf(foundation.root) },
    initPath: findInit(),
  });

async function login(
  registry: RegistryClient,
  credentials: AuthConfig,
  options: { readonly signal: AbortSignal },
): Promise<string> {
  const { username, password, identitytoken, serveraddress = '' } = credentials;
  const auth = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(identitytoken !== undefined && { identitytoken }),
  };
  return registry.login(serveraddress, auth, options);
}

async function stop(server: ApiServer, containers: LocalContainers, foundation: Foundation): Promise<void> {
  const { live, logger } = foundation;
  const { liveRestore, shutdownTimeout } = live.current;
  await server.close();
  if (!liveRestore || (await isHostStopping())) {
    await containers.shutdown({ signal: AbortSignal.timeout(shutdownTimeout * 1000) });
  }
  const left = containers.list().filter(({ state }) => state.status === 'running').length;
  if (left > 0) logger.info({ running: left }, 'containers go on running without the daemon');
}
