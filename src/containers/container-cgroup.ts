import { Cgroup, cgroupPathOf, type CgroupHost } from '#linux';
import type { ContainerContext } from './context.ts';
import type { ContainerRecord } from './container-record.ts';

/** Where a running container's cgroup is: its parent may have been configured otherwise when it was started. */
export function cgroupOf(ctx: ContainerContext, record: ContainerRecord, pid: number): Cgroup {
  const { host, cgroups } = ctx.options;
  const parent = record.hostConfig.CgroupParent || host.cgroupParent;
  return cgroupHolding(cgroups, cgroupPathOf(pid), { id: record.id, parent });
}

/** `path` up to the container's own folder, since a process may have moved into one below it. */
function cgroupHolding(
  host: CgroupHost,
  path: string | undefined,
  { id, parent }: { readonly id: string; readonly parent: string },
): Cgroup {
  const names = path?.split('/') ?? [];
  const own = names.indexOf(id);
  return new Cgroup(host, own > 0 ? names.slice(0, own + 1).join('/') : `${parent}/${id}`);
}
