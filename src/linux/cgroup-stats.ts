import type { Cgroup } from './cgroup.ts';

export interface CpuStats {
  /** Nanoseconds of processor time. */
  readonly usage: number;
  readonly user: number;
  readonly system: number;
  /** By processor; v1 only. */
  readonly perCpu: readonly number[] | undefined;
  readonly periods: number;
  readonly throttledPeriods: number;
  /** Nanoseconds. */
  readonly throttledTime: number;
}

export interface MemoryStats {
  /** Bytes, page cache included. */
  readonly usage: number;
  /** The highest usage so far; where the kernel keeps it. */
  readonly maxUsage: number | undefined;
  /** Undefined: none. */
  readonly limit: number | undefined;
  /** How often the limit was hit; v1 only. */
  readonly failures: number | undefined;
  /** memory.stat as it is. */
  readonly stats: Readonly<Record<string, number>>;
}

export interface IoStats {
  readonly major: number;
  readonly minor: number;
  /** As the kernel names it: v1 `Read`, `Write`, `Sync`, `Async`, `Discard` and `Total`, v2 `read` and `write`. */
  readonly op: string;
  readonly bytes: number;
  readonly operations: number;
}

export interface CgroupStats {
  readonly version: 1 | 2;
  readonly cpu: CpuStats;
  readonly memory: MemoryStats;
  /** `limit` undefined: none. */
  readonly pids: { readonly current: number; readonly limit: number | undefined };
  readonly io: readonly IoStats[];
}

/** What the kernel has counted for a cgroup, some 0.1 ms of small files. What a hierarchy lacks is 0 or undefined. */
export function readCgroupStats(cgroup: Cgroup): CgroupStats {
  const pids = {
    current: number(cgroup.read('pids', 'pids.current')),
    limit: limit(cgroup.read('pids', 'pids.max')),
  };
  return cgroup.host.mode === 'v2'
    ? { version: 2, cpu: cpuV2(cgroup), memory: memoryV2(cgroup), pids, io: ioV2(cgroup) }
    : { version: 1, cpu: cpuV1(cgroup), memory: memoryV1(cgroup), pids, io: ioV1(cgroup) };
}

/** v1 counts user and system time in ticks, of which there are 100 a second on every Linux that Node runs on. */
const TICK_NANOS = 10_000_000;
const MICRO_NANOS = 1000;
/** v1 writes "no limit" as the largest multiple of a page. */
const NO_LIMIT = 2 ** 62;

function cpuV1(cgroup: Cgroup): CpuStats {
  const times = fields(cgroup.read('cpuacct', 'cpuacct.stat'));
  const throttling = fields(cgroup.read('cpu', 'cpu.stat'));
  const perCpu = cgroup.read('cpuacct', 'cpuacct.usage_percpu');
  return {
    usage: number(cgroup.read('cpuacct', 'cpuacct.usage')),
    user: (times['user'] ?? 0) * TICK_NANOS,
    system: (times['system'] ?? 0) * TICK_NANOS,
    perCpu: perCpu?.split(' ').filter(Boolean).map(Number),
    periods: throttling['nr_periods'] ?? 0,
    throttledPeriods: throttling['nr_throttled'] ?? 0,
    throttledTime: throttling['throttled_time'] ?? 0,
  };
}

function cpuV2(cgroup: Cgroup): CpuStats {
  const stat = fields(cgroup.read('cpu', 'cpu.stat'));
  const nanos = (name: string): number => (stat[name] ?? 0) * MICRO_NANOS;
  return {
    usage: nanos('usage_usec'),
    user: nanos('user_usec'),
    system: nanos('system_usec'),
    perCpu: undefined,
    periods: stat['nr_periods'] ?? 0,
    throttledPeriods: stat['nr_throttled'] ?? 0,
    throttledTime: nanos('throttled_usec'),
  };
}

function memoryV1(cgroup: Cgroup): MemoryStats {
  const read = (file: string): string | undefined => cgroup.read('memory', `memory.${file}`);
  return {
    usage: number(read('usage_in_bytes')),
    maxUsage: number(read('max_usage_in_bytes')),
    limit: limit(read('limit_in_bytes')),
    failures: number(read('failcnt')),
    stats: fields(read('stat')),
  };
}

function memoryV2(cgroup: Cgroup): MemoryStats {
  const read = (file: string): string | undefined => cgroup.read('memory', `memory.${file}`);
  const peak = read('peak');
  return {
    usage: number(read('current')),
    maxUsage: peak === undefined ? undefined : number(peak),
    limit: limit(read('max')),
    failures: undefined,
    stats: fields(read('stat')),
  };
}

/** Counted by the scheduler BFQ where it is in use, otherwise by the throttling layer. */
function ioV1(cgroup: Cgroup): IoStats[] {
  const bfq = ioFiles(cgroup, 'bfq');
  return bfq.length > 0 ? bfq : ioFiles(cgroup, 'throttle');
}

function ioFiles(cgroup: Cgroup, layer: 'bfq' | 'throttle'): IoStats[] {
  const entries = new Map<string, IoStats>();
  const collect = (file: string, count: 'bytes' | 'operations'): void => {
    const name = `blkio.${layer}.${file}`;
    const text = cgroup.read('blkio', `${name}_recursive`) ?? cgroup.read('blkio', name);
    for (const line of text?.split('\n') ?? []) {
      const match = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line);
      if (!match) continue;
      const [, major, minor, op = '', value] = match;
      const key = `${major}:${minor} ${op}`;
      entries.set(key, { ...(entries.get(key) ?? ioEntry(major, minor, op)), [count]: Number(value) });
    }
  };
  collect('io_service_bytes', 'bytes');
  collect('io_serviced', 'operations');
  return [...entries.values()];
}

function ioV2(cgroup: Cgroup): IoStats[] {
  return (cgroup.read('io', 'io.stat')?.split('\n') ?? []).flatMap((line) => {
    const device = /^(\d+):(\d+) /.exec(line);
    if (!device) return [];
    const counts = Object.fromEntries(
      line
        .split(' ')
        .slice(1)
        .map((pair) => pair.split('='))
        .map(([name = '', value]) => [name, Number(value)]),
    );
    const entry = (op: IoStats['op'], letter: string): IoStats => ({
      ...ioEntry(device[1], device[2], op),
      bytes: counts[`${letter}bytes`] ?? 0,
      operations: counts[`${letter}ios`] ?? 0,
    });
    return [entry('read', 'r'), entry('write', 'w')];
  });
}

const ioEntry = (major: string | undefined, minor: string | undefined, op: IoStats['op']): IoStats => ({
  major: Number(major),
  minor: Number(minor),
  op,
  bytes: 0,
  operations: 0,
});

const number = (text: string | undefined): number => Number(text ?? 0);

function limit(text: string | undefined): number | undefined {
  const value = Number(text ?? 'max');
  return Number.isNaN(value) || value > NO_LIMIT ? undefined : value;
}

/** `name value` lines. */
function fields(text: string | undefined): Record<string, number> {
  const pairs = (text ?? '').split('\n').map((line) => line.split(' '));
  return Object.fromEntries(pairs.flatMap(([name, value]) => (name && value ? [[name, Number(value)]] : [])));
}
