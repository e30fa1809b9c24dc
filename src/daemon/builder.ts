import { join } from 'node:path';
import { BuildCache, ContextStore, LocalBuilds, type Command, type CommandOptions } from '#build';
import type { LocalContainers } from '#containers';
import type { Foundation } from './foundation.ts';
import type { Storage } from './storage.ts';

/** The builder: its commands run as the containers' side runs processes. */
export async function openBuilder(
  foundation: Foundation,
  storage: Storage,
  containers: LocalContainers,
): Promise<LocalBuilds> {
  const { root, runFolder, db, clock } = foundation;
  const builds = new LocalBuilds(
    {
      ...storage,
      building: storage.images.building,
      commands: { run: (command, options) => runCommand(containers, command, options) },
      contexts: new ContextStore(join(root, 'build', 'contexts')),
      cache: new BuildCache(db, clock),
      mountFolder: join(runFolder, 'builds'),
      cacheFolder: join(root, 'build', 'caches'),
    },
    clock,
  );
  await builds.start();
  return builds;
}

const runCommand = (
  { steps }: LocalContainers,
  { isPrivileged, ...command }: Command,
  options: CommandOptions,
): ReturnType<LocalContainers['steps']['run']> =>
  steps.run({ ...command, hostConfig: { Privileged: isPrivileged } }, options);
