import { join } from 'node:path';
import {
  BuildMemory,
  BuildTurns,
  CacheCollector,
  CacheMounts,
  ContextStore,
  createBuildKit,
  LeakWatch,
  HistoryStore,
  LocalBuilds,
  Sources,
  type BuildKit,
  type Builds,
  type Command,
  type CommandOptions,
} from '#build';
import type { LocalContainers } from '#containers';
import type { Networks } from '#networks';
import { clientImages } from './build-images.ts';
import type { Foundation } from './foundation.ts';
import type { Storage } from './storage.ts';
import { wharfVersion } from './version.ts';

/** The builder, and the protocol in which most clients drive it. */
export interface Builder {
  readonly builds: Builds;
  readonly buildKit: BuildKit;
}

/** The builder's commands run as the containers' side runs processes. */
export async function openBuilder(
  parts: {
    readonly foundation: Foundation;
    readonly storage: Storage;
    readonly containers: LocalContainers;
    readonly networks: Networks;
  },
  opened: AsyncDisposableStack,
): Promise<Builder> {
  const { storage, containers, networks } = parts;
  const { root, runFolder, db, clock } = parts.foundation;
  const contexts = opened.use(new ContextStore(join(root, 'build', 'contexts')));
  const sources = new Sources(contexts, {
    userAgent: `wharf/${wharfVersion} (linux)`,
    proxies: () => parts.foundation.live.current.proxies,
  });
  const builds = new LocalBuilds(
    {
      ...storage,
      ...{ contexts, sources },
      building: storage.images.building,
      commands: { run: (command, options) => runCommand(containers, command, options) },
      cache: storage.buildCache,
      memory: new BuildMemory(db, clock),
      leaks: new LeakWatch(storage.snapshots),
      turns: new BuildTurns(),
      mountFolder: join(runFolder, 'builds'),
      mounts: new CacheMounts(join(root, 'build', 'caches'), db, clock),
    },
    clock,
  );
  await builds.start();
  const collector = opened.use(
    new CacheCollector({
      ...{ root, cache: builds.cache, logger: parts.foundation.logger },
      settings: () => parts.foundation.live.current.cache,
    }),
  );
  builds.onBuilt = () => collector.soon();
  collector.start();
  const history = new HistoryStore(join(root, 'build', 'history'), db, clock);
  await history.start();
  const buildKit = opened.use(
    createBuildKit({
      ...{
        builds,
        contexts,
        sources,
        clock,
        history,
        images: clientImages(storage.images),
        version: wharfVersion,
      },
      grantable: parts.foundation.configuration.builder.grantable,
      registry: storage.registry,
      hostGateway: () => networks.find('bridge')?.pools[0]?.gateway,
    }),
  );
  return { builds, buildKit };
}

function runCommand(
  { steps }: LocalContainers,
  { isPrivileged, extraHosts, limits, ...command }: Command,
  options: CommandOptions,
): ReturnType<LocalContainers['steps']['run']> {
  const hostConfig = { ...limits, Privileged: isPrivileged, ExtraHosts: extraHosts };
  return steps.run({ ...command, hostConfig }, options);
}
