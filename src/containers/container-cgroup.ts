import { posix } from 'node:path';
import { Cgroup, cgroupPathOf } from '#linux';
import type { ContainerContext } from './context.ts';
import type { ContainerRecord } from './container-record.ts';

/** Where a container's cgroup is made, below the hierarchies' roots. */
export const cgroupPath = (ctx: ContainerContext, { id, hostConfig }: ContainerRecord): string =>
  posix.join('/', hostConfig.CgroupParent || ctx.options.host.cgroupParent, id);

/**
 * A running container's cgroup: its parent may have been configured otherwise when it was started, and its process
 * may have moved into one below it.
 */
export function cgroupOf(ctx: ContainerContext, record: ContainerRecord, pid: number): Cgroup {
  const names = cgroupPathOf(pid)?.split('/') ?? [];
  const own = names.indexOf(record.id);
  const path = own > 0 ? names.slice(0, own + 1).join('/') : cgroupPath(ctx, record);
  return new Cgroup(ctx.options.cgroups, path);
}
