import type { HostConfig } from '#api/types';
import { invalidArgument } from '#kernel';
import type { CgroupFeatures } from '#linux';
import { refuse } from './refuse.ts';

const mebibyte = 1024 * 1024;

const within = (value: number, low: number, high: number): boolean => value >= low && value <= high;

/** Refuses limits that cannot be. `cpus`: how many this host has. */
export function validateResources(
  host: HostConfig,
  facts: { readonly cpus: number; readonly kernel: CgroupFeatures },
): void {
  validateMemory(host);
  validateProcess(host);
  validateCpu(host, facts.cpus);
  refuse(
    (host.NanoCpus ?? 0) > 0 && !facts.kernel.cpuQuota,
    'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
  );
  validateRealtime(host, facts.kernel);
  validateSets(host, facts);
  validateWindows(host);
}

function validateMemory(host: HostConfig): void {
  const { Memory: memory = 0, MemorySwap: swap = 0, MemoryReservation: reservation = 0 } = host;
  const limited = memory > 0;
  refuse(memory !== 0 && memory < 6 * mebibyte, 'Minimum memory limit allowed is 6MB');
  refuse(
    limited && swap > 0 && swap < memory,
    'Minimum memoryswap limit should be larger than memory limit, see usage',
  );
  refuse(
    !limited && swap > 0,
    'You should always set the Memory limit when using Memoryswap limit, see usage',
  );
  refuse(reservation > 0 && reservation < 6 * mebibyte, 'Minimum memory reservation allowed is 6MB');
  refuse(
    limited && reservation > memory,
    'Minimum memory limit can not be less than memory reservation limit, see usage',
  );
  const swappiness = host.MemorySwappiness ?? -1;
  refuse(
    !within(swappiness, -1, 100),
    `Invalid value: ${swappiness}, valid memory swappiness range is 0-100`,
  );
}

function validateProcess(host: HostConfig): void {
  refuse((host.ShmSize ?? 0) < 0, 'SHM size can not be less than 0');
  const score = host.OomScoreAdj ?? 0;
  refuse(!within(score, -1000, 1000), `Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
  const weight = host.BlkioWeight ?? 0;
  refuse(weight !== 0 && !within(weight, 10, 1000), 'Range of blkio weight is from 10 to 1000');
  for (const { Path: path = '', Weight: own = 0 } of host.BlkioWeightDevice ?? []) {
    refuse(own !== 0 && !within(own, 10, 1000), `Range of blkio weight is from 10 to 1000: ${path}:${own}`);
  }
}

function validateCpu(host: HostConfig, available: number): void {
  const { NanoCpus: nano = 0, CpuPeriod: period = 0, CpuQuota: quota = 0, CpuShares: shares = 0 } = host;
  refuse(nano > 0 && period > 0, 'Conflicting options: Nano CPUs and CPU Period cannot both be set');
  refuse(nano > 0 && quota > 0, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  refuse(
    !within(nano, 0, available * 1e9),
    `range of CPUs is from 0.01 to ${available}.00, as there are only ${available} CPUs available`,
  );
  refuse(shares < 0, `invalid CPU shares (${shares}): value must be a positive integer`);
  refuse(
    period !== 0 && !within(period, 1000, 1_000_000),
    'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
  );
  refuse(quota > 0 && quota < 1000, 'CPU cfs quota can not be less than 1ms (i.e. 1000)');
}

function validateRealtime(host: HostConfig, kernel: CgroupFeatures): void {
  const { CpuRealtimePeriod: period = 0, CpuRealtimeRuntime: runtime = 0 } = host;
  refuse(
    !kernel.cpuRealtime && (period !== 0 || runtime !== 0),
    'kernel does not support CPU real-time scheduler',
  );
  refuse(
    period !== 0 && runtime > period,
    'cpu real-time runtime cannot be higher than cpu real-time period',
  );
}

function validateSets(
  host: HostConfig,
  { cpus, kernel }: { readonly cpus: number; readonly kernel: CgroupFeatures },
): void {
  const { CpusetCpus: asked = '', CpusetMems: mems = '' } = host;
  refuse(
    parseList(asked, 'cpus').some((cpu) => cpu >= cpus),
    `Requested CPUs are not available - requested ${asked}, available: 0-${cpus - 1}`,
  );
  const wanted = parseList(mems, 'mems');
  if (kernel.memoryNodes === undefined) return;
  const nodes = new Set(parseList(kernel.memoryNodes, 'mems'));
  refuse(
    wanted.some((node) => !nodes.has(node)),
    `Requested memory nodes are not available - requested ${mems}, available: ${kernel.memoryNodes}`,
  );
}

/** `0-2,7` (cpuset(7), list format). Throws invalidArgument. */
function parseList(text: string, kind: 'cpus' | 'mems'): readonly number[] {
  const numbers: number[] = [];
  for (const part of text === '' ? [] : text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!match || last < first || last > 8192) {
      throw invalidArgument(`Invalid value ${text} for cpuset ${kind}: invalid format: ${text}`);
    }
    for (let number = first; number <= last; number += 1) numbers.push(number);
  }
  return numbers;
}

function validateWindows(host: HostConfig): void {
  const refused = (what: string): string =>
    `invalid option: QoS maximum ${what} configuration is not supported on linux`;
  refuse((host.IOMaximumBandwidth ?? 0) !== 0, refused('bandwidth'));
  refuse((host.IOMaximumIOps ?? 0) !== 0, refused('IOPs'));
}
