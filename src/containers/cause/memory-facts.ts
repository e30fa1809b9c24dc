import { Cgroup, readCgroupStats } from '#linux';
import { cgroupPath } from '../container-cgroup.ts';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import type { MemoryFacts } from './run-facts.ts';

/** The memory that a container's run took, while its cgroup is still there. */
export function memoryFacts(ctx: ContainerContext, record: ContainerRecord): MemoryFacts {
  const { memory } = readCgroupStats(new Cgroup(ctx.options.cgroups, cgroupPath(ctx, record)));
  const { limit, maxUsage: peak = 0 } = memory;
  return { ...(limit !== undefined && { limit }), ...(peak > 0 && { peak }) };
}
