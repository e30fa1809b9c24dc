import type { HostConfig, UpdateConfig } from '#api/types';
import { internal, messageOf, prefixErrors } from '#kernel';
import { changeCgroupLimits, type CgroupLimits } from '#linux';
import { cgroupOf } from '../container-cgroup.ts';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import { specResources } from '../spec/resources.ts';
import { checkUpdate, withUpdate } from './change-limits.ts';

/** Changes limits and restart policy: in the kernel when the container runs, and in its record. All or nothing. */
export async function updateContainer(
  ctx: ContainerContext,
  ref: string,
  request: UpdateConfig,
): Promise<{ readonly warnings: readonly string[] }> {
  const { update, warnings } = checkUpdate(request, ctx.options.host);
  const { id } = ctx.store.get(ref);
  await using _lock = await ctx.locks.acquire(id);
  const record = ctx.store.get(id);
  const prefix = `Cannot update container ${id}: `;
  if (record.state.status === 'removing' || record.state.status === 'dead') {
    throw internal(`${prefix}container is marked for removal and cannot be "update"`);
  }
  const hostConfig = prefixErrors(prefix, () => withUpdate(record.hostConfig, update));
  await applyLimits(ctx, record, hostConfig).catch((error: unknown) => {
    throw internal(prefix + messageOf(error), error);
  });
  const next = ctx.update(ctx.store.get(id), { hostConfig });
  ctx.publish(next, 'update');
  return { warnings };
}

async function applyLimits(ctx: ContainerContext, record: ContainerRecord, next: HostConfig): Promise<void> {
  checkShares(next.CpuShares ?? 0);
  if (record.state.status !== 'running') return;
  const cgroup = cgroupOf(ctx, record, record.state.pid);
  await changeCgroupLimits(cgroup, limitsOf(record.hostConfig), limitsOf(next));
}

/** The kernel would take others too, and make of them what it has. */
function checkShares(shares: number): void {
  if (shares === 1) throw internal('the minimum allowed cpu-shares is 2');
  if (shares > 262_144) throw internal('the maximum allowed cpu-shares is 262144');
}

/** Those that an update can change: none of them names a device. */
function limitsOf(host: HostConfig): CgroupLimits {
  const { BlkioWeight: weight = 0 } = host;
  const { memory, cpu, pids } = specResources(host, [], () => ({ major: 0, minor: 0 }));
  return {
    ...(memory && { memory }),
    ...(cpu && { cpu }),
    ...(pids && { pids }),
    ...(weight > 0 && { blockIO: { weight } }),
  };
}
