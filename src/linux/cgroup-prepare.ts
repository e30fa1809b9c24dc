import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bind, check } from './libc.ts';
import { readCgroupHost, type CgroupHost } from './cgroup.ts';

const mountCall = bind<(source: string, target: string, type: string, flags: number, data: string) => number>(
  'int mount(const char *, const char *, const char *, unsigned long, const char *)',
);

/** What prepareCgroups() found and did, for the log. */
export interface CgroupPreparation {
  readonly host: CgroupHost;
  /** Controllers that were taken from the v2 tree and mounted as v1, with their mount points. */
  readonly mounted: readonly { readonly controller: string; readonly path: string }[];
}

/**
 * Makes the host's cgroups fit for crun: in hybrid mode it refuses to run while a controller belongs to the v2 tree,
 * so each such controller is mounted as v1 beside the others. Nothing is done on pure v1 and v2. Safe to repeat and
 * to race. Throws SystemError when the mount is refused (the controller may be in use in the v2 tree).
 */
export function prepareCgroups(): CgroupPreparation {
  const host = readCgroupHost();
  const mounted: { controller: string; path: string }[] = [];
  if (host.mode !== 'hybrid' || host.unified === undefined) return { host, mounted };
  const base = [...host.controllers.values()][0];
  for (const controller of enabled(host.unified)) {
    if (host.controllers.has(controller)) continue;
    const path = join(base ?? '/sys/fs/cgroup', '..', controller);
    mkdirSync(path, { recursive: true });
    const result = mountCall('cgroup', path, 'cgroup', 0, controller);
    // Another daemon may have won the race.
    if (result < 0 && readCgroupHost().controllers.has(controller)) continue;
    check(result, 'mount', path);
    mounted.push({ controller, path });
  }
  return mounted.length > 0 ? { host: readCgroupHost(), mounted } : { host, mounted };
}

const enabled = (unified: string): string[] =>
  readFileSync(join(unified, 'cgroup.controllers'), 'utf8').split(/\s+/).filter(Boolean);
