import { readFile, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { getSystemErrorMessage } from 'node:util';
import type { Cgroup } from './cgroup.ts';

/** Limits in the units of the OCI runtime spec (config-linux.md, resources). -1 is "none"; undefined, not set. */
export interface CgroupLimits {
  readonly memory?: {
    readonly limit?: number;
    /** Memory and swap together. */
    readonly swap?: number;
    readonly reservation?: number;
  };
  readonly cpu?: {
    readonly shares?: number;
    readonly quota?: number;
    readonly period?: number;
    readonly realtimePeriod?: number;
    readonly realtimeRuntime?: number;
    readonly cpus?: string;
    readonly mems?: string;
  };
  readonly pids?: { readonly limit: number };
  readonly blockIO?: { readonly weight?: number };
}

/** One file of a cgroup to be written. */
export interface CgroupWrite {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
}

/** The kernel would not have a limit. `message` says which file and why; nothing was changed. */
export class LimitRefused extends Error {
  override readonly name = 'LimitRefused';
}

/**
 * Brings a cgroup from one set of limits to another by writing what differs. Off the event loop: lowering memory
 * makes the kernel reclaim. Throws LimitRefused with everything as it was.
 */
export async function changeCgroupLimits(
  cgroup: Cgroup,
  before: CgroupLimits,
  after: CgroupLimits,
): Promise<void> {
  const undo: CgroupWrite[] = [];
  try {
    for (const write of limitWrites(cgroup, before, after)) {
      const previous = await readLimit(cgroup, write);
      await writeLimit(cgroup, write);
      undo.unshift({ ...write, value: previous });
    }
  } catch (error) {
    // One that cannot be undone keeps neither the others nor the reason to itself.
    for (const write of undo) await writeLimit(cgroup, write).catch(() => undefined);
    throw error;
  }
}

/** What is to be written, in an order that the kernel takes. */
export function limitWrites(
  cgroup: Cgroup,
  before: CgroupLimits,
  after: CgroupLimits,
): readonly CgroupWrite[] {
  return cgroup.host.mode === 'v2' ? writesV2(cgroup, before, after) : writesV1(cgroup, before, after);
}

/** `make` of what is set now and was not, or was otherwise. */
function changed<T>(
  before: T | undefined,
  after: T | undefined,
  make: (value: T) => CgroupWrite,
): CgroupWrite[] {
  return after === undefined || after === before ? [] : [make(after)];
}

const to =
  (controller: string, file: string) =>
  (value: number | string): CgroupWrite => ({ controller, file, value: String(value) });

function writesV1(cgroup: Cgroup, before: CgroupLimits, after: CgroupLimits): readonly CgroupWrite[] {
  const weight = cgroup.read('blkio', 'blkio.weight') === undefined ? 'blkio.bfq.weight' : 'blkio.weight';
  return [
    ...memoryV1(cgroup, before.memory ?? {}, after.memory ?? {}),
    ...cpuV1(cgroup, before.cpu ?? {}, after.cpu ?? {}),
    ...pids(before, after),
    ...changed(before.blockIO?.weight, after.blockIO?.weight, to('blkio', weight)),
  ];
}

type Memory = NonNullable<CgroupLimits['memory']>;
type Cpu = NonNullable<CgroupLimits['cpu']>;

/** At no time may memory alone be allowed more than memory and swap together. */
function memoryV1(cgroup: Cgroup, before: Memory, after: Memory): readonly CgroupWrite[] {
  const limit = changed(before.limit, after.limit, to('memory', 'memory.limit_in_bytes'));
  const swap = changed(before.swap, after.swap, to('memory', 'memory.memsw.limit_in_bytes'));
  const current = Number(cgroup.read('memory', 'memory.limit_in_bytes') ?? 0);
  const swapFirst = after.swap === -1 || (after.swap !== undefined && after.swap >= current);
  return [
    ...(swapFirst ? [...swap, ...limit] : [...limit, ...swap]),
    ...changed(before.reservation, after.reservation, to('memory', 'memory.soft_limit_in_bytes')),
  ];
}

const cpuV1 = (cgroup: Cgroup, before: Cpu, after: Cpu): readonly CgroupWrite[] => [
  ...changed(before.shares, after.shares, to('cpu', 'cpu.shares')),
  ...bandwidthV1(cgroup, before, after),
  ...changed(before.realtimePeriod, after.realtimePeriod, to('cpu', 'cpu.rt_period_us')),
  ...changed(before.realtimeRuntime, after.realtimeRuntime, to('cpu', 'cpu.rt_runtime_us')),
  ...sets(before, after),
];

const sets = (before: Cpu, after: Cpu): readonly CgroupWrite[] => [
  ...changed(before.cpus, after.cpus, to('cpuset', 'cpuset.cpus')),
  ...changed(before.mems, after.mems, to('cpuset', 'cpuset.mems')),
];

/** The share of one processor may at no time be more than the parent's: what lessens it is written first. */
function bandwidthV1(cgroup: Cgroup, before: Cpu, after: Cpu): readonly CgroupWrite[] {
  const quota = changed(before.quota, after.quota, to('cpu', 'cpu.cfs_quota_us'));
  const period = changed(before.period, after.period, to('cpu', 'cpu.cfs_period_us'));
  const current = Number(cgroup.read('cpu', 'cpu.cfs_period_us') ?? 0);
  return (after.period ?? 0) < current ? [...quota, ...period] : [...period, ...quota];
}

function pids(before: CgroupLimits, after: CgroupLimits): readonly CgroupWrite[] {
  const none = -1;
  return changed(before.pids?.limit ?? none, after.pids?.limit ?? none, (limit) =>
    to('pids', 'pids.max')(unlimited(limit)),
  );
}

const unlimited = (limit: number): number | 'max' => (limit < 0 ? 'max' : limit);

function writesV2(cgroup: Cgroup, before: CgroupLimits, after: CgroupLimits): readonly CgroupWrite[] {
  const bfq = cgroup.read('io', 'io.bfq.weight') !== undefined;
  const old = { memory: before.memory ?? {}, cpu: before.cpu ?? {} };
  const { memory = {}, cpu = {} } = after;
  return [
    ...changed(old.memory.limit, memory.limit, (limit) => to('memory', 'memory.max')(unlimited(limit))),
    ...changed(swapV2(old.memory), swapV2(memory), to('memory', 'memory.swap.max')),
    ...changed(old.memory.reservation, memory.reservation, to('memory', 'memory.low')),
    ...changed(old.cpu.shares, cpu.shares, (shares) => to('cpu', 'cpu.weight')(weightOfShares(shares))),
    ...changed(bandwidthV2(old.cpu), bandwidthV2(cpu), to('cpu', 'cpu.max')),
    ...sets(old.cpu, cpu),
    ...pids(before, after),
    ...changed(before.blockIO?.weight, after.blockIO?.weight, (weight) =>
      bfq ? to('io', 'io.bfq.weight')(weight) : to('io', 'io.weight')(weightOfBlkio(weight)),
    ),
  ];
}

/** v2 limits swap alone. */
function swapV2({ limit, swap }: Memory): string | undefined {
  if (swap === undefined) return undefined;
  if (swap === -1 || limit === -1) return 'max';
  return limit === undefined ? undefined : String(Math.max(0, swap - limit));
}

function bandwidthV2({ quota, period }: Cpu): string | undefined {
  if (quota === undefined && period === undefined) return undefined;
  return `${quota === undefined || quota <= 0 ? 'max' : quota} ${period ?? 100_000}`;
}

/** v1's shares (2 to 262144) as a weight of v2 (1 to 10000), as OCI runtimes convert them. */
const weightOfShares = (shares: number): number => 1 + Math.floor(((shares - 2) * 9999) / 262_142);
/** v1's weight (10 to 1000) as one of v2 (1 to 10000). */
const weightOfBlkio = (weight: number): number => 1 + Math.floor(((weight - 10) * 9999) / 990);

const pathOf = (cgroup: Cgroup, { controller, file }: CgroupWrite): string => {
  const folder = cgroup.folder(controller);
  if (folder === undefined) throw new LimitRefused(`this host has no cgroup controller ${controller}`);
  return join(folder, file);
};

async function readLimit(cgroup: Cgroup, write: CgroupWrite): Promise<string> {
  try {
    return (await readFile(pathOf(cgroup, write), 'utf8')).trim();
  } catch (error) {
    throw refused(cgroup, write, error);
  }
}

async function writeLimit(cgroup: Cgroup, write: CgroupWrite): Promise<void> {
  try {
    await writeFile(pathOf(cgroup, write), write.value, { flag: 'r+' });
  } catch (error) {
    throw refused(cgroup, write, error);
  }
}

function refused(cgroup: Cgroup, write: CgroupWrite, error: unknown): Error {
  if (error instanceof LimitRefused) return error;
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : -constants.errno.EIO;
  const reason = getSystemErrorMessage(errno);
  return new LimitRefused(`failed to write "${write.value}": write ${pathOf(cgroup, write)}: ${reason}`, {
    cause: error,
  });
}
