import { posix } from 'node:path';
import { Cgroup } from '#linux';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import type { MemoryFacts } from './run-facts.ts';

/** v1 writes "no limit" as the largest multiple of a page. */
const unlimited = 2 ** 62;

/** The memory that a container's run took, while its cgroup is still there. Reads two small files. */
export function memoryFacts(ctx: ContainerContext, record: ContainerRecord): MemoryFacts {
  const { host, cgroups } = ctx.options;
  const path = posix.join('/', record.hostConfig.CgroupParent || host.cgroupParent, record.id);
  const cgroup = new Cgroup(cgroups, path);
  const [limitFile, peakFile] =
    cgroups.mode === 'v2'
      ? ['memory.max', 'memory.peak']
      : ['memory.limit_in_bytes', 'memory.max_usage_in_bytes'];
  const limit = Number(cgroup.read('memory', limitFile) ?? Number.NaN);
  const peak = Number(cgroup.read('memory', peakFile) ?? 0);
  return { ...(limit < unlimited && { limit }), ...(peak > 0 && { peak }) };
}
