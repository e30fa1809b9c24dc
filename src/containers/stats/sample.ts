import { totalmem } from 'node:os';
import { readCgroupStats, type CgroupStats } from '#linux';
import { cgroupOf } from '../container-cgroup.ts';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import { sharedContainer } from '../start/namespaces.ts';
import { readInterfaceCounters, type InterfaceCounters } from './interface-counters.ts';
import type { SystemCpu } from './system-cpu.ts';

/** What a running container had used at one moment. */
export interface ContainerSample {
  /** Nanoseconds since the epoch. */
  readonly readAt: bigint;
  readonly cgroup: CgroupStats;
  readonly system: SystemCpu;
  /** Bytes: the container's limit, or the host's memory where that is less. */
  readonly memoryLimit: number;
  /** By interface; undefined without a network of its own. */
  readonly networks: ReadonlyMap<string, InterfaceCounters> | undefined;
}

/** Reads some 15 small files of the kernel, 0.2 ms. Undefined when the container does not run (any more). */
export function takeSample(
  ctx: ContainerContext,
  record: ContainerRecord,
  system: SystemCpu,
): ContainerSample | undefined {
  if (record.state.status !== 'running') return undefined;
  const { pid } = record.state;
  try {
    const cgroup = readCgroupStats(cgroupOf(ctx, record, pid));
    return {
      readAt: ctx.options.clock.now(),
      cgroup,
      system,
      memoryLimit: Math.min(cgroup.memory.limit ?? Infinity, totalmem()),
      networks: networksOf(ctx, record, pid),
    };
  } catch {
    // Its process ended between two reads.
    return undefined;
  }
}

function networksOf(
  ctx: ContainerContext,
  record: ContainerRecord,
  pid: number,
): ReadonlyMap<string, InterfaceCounters> | undefined {
  const sandbox = ctx.options.networks.findSandbox(networkHolder(ctx, record));
  if (!sandbox || sandbox.endpoints.length === 0) return undefined;
  const counters = readInterfaceCounters(pid);
  return new Map(
    sandbox.endpoints.flatMap(({ interfaceName }) => {
      const found = counters.get(interfaceName);
      return found ? [[interfaceName, found]] : [];
    }),
  );
}

/** The container whose network this one is in: its own, unless it joined another's. */
function networkHolder(ctx: ContainerContext, record: ContainerRecord): string {
  const other = sharedContainer(record.hostConfig.NetworkMode);
  if (other === undefined) return record.id;
  const joined = ctx.store.get(other);
  return joined.id === record.id ? record.id : networkHolder(ctx, joined);
}
