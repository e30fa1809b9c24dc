import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { allCapabilities } from '#containers';
import { EventBroker } from '#events';
import { systemClock, type Clock, type Logger } from '#kernel';
import { makePrivate, prepareCgroups, type CgroupHost } from '#linux';
import { Database } from '#metadata';
import type { Configuration } from './configuration/configuration.ts';
import { openDataRoot } from './data-root.ts';
import { readHostFacts, type HostFacts } from './host-facts.ts';
import { LiveConfiguration } from './live-configuration.ts';
import { chooseRuntime, type ChosenRuntime } from './programs.ts';

/** What everything else stands on: the locked data root, the records, the host as it is. */
export interface Foundation {
  /** As it was at the start. */
  readonly configuration: Configuration;
  /** What a reload may change. */
  readonly live: LiveConfiguration;
  readonly logger: Logger;
  /** The data root. */
  readonly root: string;
  /** Carried by every name on the host. */
  readonly instance: string;
  readonly runFolder: string;
  readonly cgroups: CgroupHost;
  readonly facts: HostFacts;
  readonly runtime: ChosenRuntime;
  readonly db: Database;
  readonly clock: Clock;
  readonly events: EventBroker;
}

/** Everything that needs closing goes onto the stack. */
export function openFoundation(
  configuration: Configuration,
  logger: Logger,
  opened: AsyncDisposableStack,
): Foundation {
  const { path: root, instance } = opened.use(openDataRoot(configuration.dataRoot));
  return {
    configuration,
    live: new LiveConfiguration(configuration),
    logger,
    root,
    instance,
    runFolder: openRunFolder(configuration, instance),
    cgroups: readyCgroups(logger),
    facts: readHostFacts(allCapabilities),
    runtime: chooseRuntime(configuration.containers.runtime, configuration.containers.runtimes),
    db: opened.use(new Database(join(root, 'wharf.db'))),
    clock: systemClock,
    events: new EventBroker(systemClock),
  };
}

/** Two data roots never share a run folder: beside the default one, each has a folder of its own. */
export function openRunFolder(configuration: Configuration, instance: string): string {
  const { execRoot } = configuration;
  const folder = instance === 'default' || execRoot !== '/run/wharf' ? execRoot : join(execRoot, instance);
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  makePrivate(folder);
  return folder;
}

function readyCgroups(logger: Logger): CgroupHost {
  const { host, mounted } = prepareCgroups();
  for (const { controller, path } of mounted) {
    logger.info(
      { controller, path },
      'mounted a controller of the hybrid hierarchy where the OCI runtime wants it',
    );
  }
  return host;
}
