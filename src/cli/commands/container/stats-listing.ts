import type { ContainerStatsResponse } from '#api/types';
import type { Listing } from '../../format/listing.ts';
import { shortId } from '#kernel';
import { binarySize, decimalSize } from '../../format/units.ts';

/** What one container uses; without numbers while nothing is known. */
export interface Usage {
  /** As the user named it. */
  readonly container: string;
  readonly id?: string;
  readonly name?: string;
  /** percent of one CPU */
  readonly cpu?: number;
  /** bytes */
  readonly memory?: number;
  readonly limit?: number;
  readonly received?: number;
  readonly sent?: number;
  readonly read?: number;
  readonly written?: number;
  readonly pids?: number;
}

/** Makes one sample readable. */
export function measure(container: string, stats: ContainerStatsResponse): Usage {
  const networks = Object.values(stats.networks ?? {});
  const blocks = stats.blkio_stats.io_service_bytes_recursive ?? [];
  const bytes = (letter: string): number =>
    blocks.filter(({ op }) => op.toLowerCase().startsWith(letter)).reduce((sum, { value }) => sum + value, 0);
  return {
    container,
    id: stats.id ?? '',
    name: (stats.name ?? '').replace(/^\//, ''),
    cpu: cpuPercent(stats),
    memory: memoryUsage(stats),
    limit: stats.memory_stats.limit ?? 0,
    received: networks.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0),
    sent: networks.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0),
    read: bytes('r'),
    written: bytes('w'),
    pids: stats.pids_stats.current ?? 0,
  };
}

function cpuPercent({ cpu_stats: now, precpu_stats: before }: ContainerStatsResponse): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const cpus = now.online_cpus ?? now.cpu_usage.percpu_usage?.length ?? 1;
  return used > 0 && passed > 0 ? (used / passed) * cpus * 100 : 0;
}

/** Without the page cache that can be dropped: cgroup v1 and v2 name it differently. */
function memoryUsage({ memory_stats: memory }: ContainerStatsResponse): number {
  const usage = memory.usage ?? 0;
  const stats: Readonly<Record<string, number>> = memory.stats ?? {};
  const cache = stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0;
  return cache < usage ? usage - cache : usage;
}

const unknown = '--';
const both = (a: number, b: number): string => `${decimalSize(a, 3)} / ${decimalSize(b, 3)}`;

export const statsListing = ({ truncate }: { truncate: boolean }): Listing<Usage> => ({
  typeName: '*container.statsContext',
  headers: {
    Container: 'CONTAINER',
    Name: 'NAME',
    ID: 'CONTAINER ID',
    CPUPerc: 'CPU %',
    MemUsage: 'MEM USAGE / LIMIT',
    MemPerc: 'MEM %',
    NetIO: 'NET I/O',
    BlockIO: 'BLOCK I/O',
    PIDs: 'PIDS',
  },
  columns: (usage) => {
    const {
      id = '',
      name,
      cpu,
      memory,
      limit = 0,
      received = 0,
      sent = 0,
      read = 0,
      written = 0,
      pids = 0,
    } = usage;
    const known = name !== undefined;
    return {
      Container: () => usage.container,
      Name: () => name ?? unknown,
      ID: () => (truncate ? shortId(id) : id),
      CPUPerc: () => (cpu === undefined ? unknown : `${cpu.toFixed(2)}%`),
      MemUsage: () =>
        memory === undefined ? `${unknown} / ${unknown}` : `${binarySize(memory)} / ${binarySize(limit)}`,
      MemPerc: () =>
        memory === undefined ? unknown : `${(limit > 0 ? (memory / limit) * 100 : 0).toFixed(2)}%`,
      NetIO: () => (known ? both(received, sent) : unknown),
      BlockIO: () => (known ? both(read, written) : unknown),
      PIDs: () => (known ? String(pids) : unknown),
    };
  },
});
