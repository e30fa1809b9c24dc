import { join } from 'node:path';
import { execve } from '#linux';
import { supervisorArguments } from '#runtime';
import type { Configuration } from './configuration/configuration.ts';
import { instanceOf } from './data-root.ts';
import { openRunFolder } from './foundation.ts';
import { chooseRuntime, programs } from './programs.ts';
import type { Logger } from '#kernel';

/**
 * Becomes the supervisor that a daemon of the same configuration looks for, so that a service manager can run it as a
 * service of its own. Returns only by throwing.
 */
export function becomeSupervisor(configuration: Configuration, logger: Logger): never {
  const runFolder = openRunFolder(configuration, instanceOf(configuration.dataRoot));
  const { runtime, runtimes } = configuration.containers;
  const launch = {
    ...programs(),
    runFolder,
    binary: chooseRuntime(runtime, runtimes).path,
    ociRoot: join(runFolder, 'oci'),
    logger,
  };
  const env = Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ''}`);
  return execve(launch.node, [launch.node, ...supervisorArguments(launch)], env);
}
