import type {
  ContainerBlkioStatEntry,
  ContainerBlkioStats,
  ContainerCPUStats,
  ContainerMemoryStats,
  ContainerNetworkStats,
  ContainerStatsResponse,
} from '#api/types';
import type { ContainerSample, StatsReading } from '#containers';
import { formatTime, zeroTime } from '#kernel';
import { exactInteger } from '../answer.ts';

/** One sample as clients see it; zeros while the container does not run. */
export function containerStats({ record, sample, previous }: StatsReading): ContainerStatsResponse {
  return {
    name: `/${record.name}`,
    id: record.id,
    os_type: 'linux',
    read: sample ? formatTime(sample.readAt) : zeroTime,
    preread: previous ? formatTime(previous.readAt) : zeroTime,
    pids_stats: sample ? pids(sample) : {},
    blkio_stats: blocks(sample),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpu(sample),
    precpu_stats: cpu(previous),
    memory_stats: sample ? memory(sample) : {},
    ...(sample?.networks && { networks: networks(sample.networks) }),
  };
}

function pids({ cgroup }: ContainerSample): ContainerStatsResponse['pids_stats'] {
  const { current, limit } = cgroup.pids;
  return { ...(current > 0 && { current }), ...(limit !== undefined && { limit }) };
}

function cpu(sample: ContainerSample | undefined): ContainerCPUStats {
  if (!sample) return unused;
  const { cgroup, system } = sample;
  const { perCpu } = cgroup.cpu;
  return {
    cpu_usage: {
      total_usage: cgroup.cpu.usage,
      ...(perCpu && { percpu_usage: perCpu }),
      usage_in_kernelmode: cgroup.cpu.system,
      usage_in_usermode: cgroup.cpu.user,
    },
    system_cpu_usage: system.usage,
    online_cpus: system.cpus,
    throttling_data: {
      periods: cgroup.cpu.periods,
      throttled_periods: cgroup.cpu.throttledPeriods,
      throttled_time: cgroup.cpu.throttledTime,
    },
  };
}

const unused: ContainerCPUStats = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

/** Of memory.stat on cgroup v1 these, and each again as `total_…` with the cgroups below. */
const v1Counters = [
  'active_anon',
  'active_file',
  'cache',
  'dirty',
  'inactive_anon',
  'inactive_file',
  'mapped_file',
  'pgfault',
  'pgmajfault',
  'pgpgin',
  'pgpgout',
  'rss',
  'rss_huge',
  'unevictable',
  'writeback',
];
const v1Names = [
  ...v1Counters,
  ...v1Counters.map((name) => `total_${name}`),
  'hierarchical_memory_limit',
  'hierarchical_memsw_limit',
].sort();

/** Of memory.stat on cgroup v2. */
const v2Names = [
  'active_anon',
  'active_file',
  'anon',
  'anon_thp',
  'file',
  'file_dirty',
  'file_mapped',
  'file_writeback',
  'inactive_anon',
  'inactive_file',
  'kernel_stack',
  'pgactivate',
  'pgdeactivate',
  'pgfault',
  'pglazyfree',
  'pglazyfreed',
  'pgmajfault',
  'pgrefill',
  'pgscan',
  'pgsteal',
  'shmem',
  'slab',
  'slab_reclaimable',
  'slab_unreclaimable',
  'sock',
  'thp_collapse_alloc',
  'thp_fault_alloc',
  'unevictable',
  'workingset_activate',
  'workingset_nodereclaim',
  'workingset_refault',
];

function memory({ cgroup, memoryLimit }: ContainerSample): ContainerMemoryStats {
  const { usage, maxUsage, failures, stats } = cgroup.memory;
  const v1 = cgroup.version === 1;
  const counters = (v1 ? v1Names : v2Names).map((name) => [name, exact(counter(stats, name))]);
  return {
    ...present('usage', usage),
    ...(v1 && present('max_usage', maxUsage)),
    // The numbers are, or are encoded as, JSON numbers.
    stats: Object.fromEntries(counters) as Record<string, number>,
    ...present('failcnt', failures),
    limit: memoryLimit,
  };
}

/** Newer kernels count some of them apart for `_anon` and `_file`. */
const counter = (stats: Readonly<Record<string, number>>, name: string): number =>
  stats[name] ?? (stats[`${name}_anon`] ?? 0) + (stats[`${name}_file`] ?? 0);

const exact = (value: number): unknown => (Number.isSafeInteger(value) ? value : exactInteger(BigInt(value)));

/** Docker leaves out what is zero. */
const present = <K extends string>(name: K, value: number | undefined): Partial<Record<K, number>> =>
  value ? ({ [name]: value } as Partial<Record<K, number>>) : {};

function blocks(sample: ContainerSample | undefined): ContainerBlkioStats {
  const io = sample?.cgroup.io ?? [];
  const v1 = sample?.cgroup.version === 1;
  const entries = (count: 'bytes' | 'operations'): readonly ContainerBlkioStatEntry[] =>
    io.map(({ major, minor, op, [count]: value }) => ({ major, minor, op, value }));
  // Counters of a scheduler that kernels no longer have: empty lists on v1, nothing on v2.
  const gone = v1 ? [] : null;
  return {
    io_service_bytes_recursive: v1 || io.length > 0 ? entries('bytes') : null,
    io_serviced_recursive: v1 ? entries('operations') : null,
    io_queue_recursive: gone,
    io_service_time_recursive: gone,
    io_wait_time_recursive: gone,
    io_merged_recursive: gone,
    io_time_recursive: gone,
    sectors_recursive: gone,
  };
}

function networks(
  interfaces: NonNullable<ContainerSample['networks']>,
): Readonly<Record<string, ContainerNetworkStats>> {
  return Object.fromEntries(
    [...interfaces].map(([name, counters]) => [
      name,
      {
        rx_bytes: counters.rxBytes,
        rx_packets: counters.rxPackets,
        rx_errors: counters.rxErrors,
        rx_dropped: counters.rxDropped,
        tx_bytes: counters.txBytes,
        tx_packets: counters.txPackets,
        tx_errors: counters.txErrors,
        tx_dropped: counters.txDropped,
      },
    ]),
  );
}
