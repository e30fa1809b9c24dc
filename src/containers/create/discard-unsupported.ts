import type { HostConfig } from '#api/types';
import type { CgroupFeatures } from '#linux';

interface Discard {
  readonly when: (host: HostConfig) => boolean;
  readonly needs: (kernel: CgroupFeatures) => boolean;
  readonly without: HostConfig;
  readonly warning: string;
}

const lacks = (what: string, consequence: string): string =>
  `Your kernel does not support ${what} or the cgroup is not mounted. ${consequence}`;

const memory: readonly Discard[] = [
  {
    when: ({ Memory: limit = 0 }) => limit > 0,
    needs: ({ memoryLimit }) => memoryLimit,
    without: { Memory: 0, MemorySwap: -1 },
    warning: lacks('memory limit capabilities', 'Limitation discarded.'),
  },
  {
    when: ({ Memory: limit = 0, MemorySwap: swap = 0 }) => limit > 0 && swap !== -1,
    needs: ({ swapLimit }) => swapLimit,
    without: { MemorySwap: -1 },
    warning: lacks('swap limit capabilities', 'Memory limited without swap.'),
  },
  {
    when: ({ MemorySwappiness: swappiness }) => (swappiness ?? -1) >= 0,
    needs: ({ memorySwappiness }) => memorySwappiness,
    without: { MemorySwappiness: null },
    warning:
      'Your kernel does not support memory swappiness capabilities, or the cgroup is not mounted. Memory swappiness discarded.',
  },
  {
    when: ({ MemoryReservation: reservation = 0 }) => reservation > 0,
    needs: ({ memoryReservation }) => memoryReservation,
    without: { MemoryReservation: 0 },
    warning: lacks('memory soft limit capabilities', 'Limitation discarded.'),
  },
  {
    when: ({ OomKillDisable: disable }) => disable ?? false,
    needs: ({ oomKillDisable }) => oomKillDisable,
    without: { OomKillDisable: null },
    warning: 'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
  },
];

const processor: readonly Discard[] = [
  {
    when: ({ PidsLimit: limit }) => (limit ?? 0) > 0,
    needs: ({ pidsLimit }) => pidsLimit,
    without: { PidsLimit: null },
    warning: lacks('PIDs limit capabilities', 'PIDs limit discarded.'),
  },
  {
    when: ({ CpuShares: shares = 0 }) => shares > 0,
    needs: ({ cpuShares }) => cpuShares,
    without: { CpuShares: 0 },
    warning: lacks('CPU shares', 'Shares discarded.'),
  },
  {
    when: ({ CpuPeriod: period = 0, CpuQuota: quota = 0 }) => period !== 0 || quota !== 0,
    needs: ({ cpuQuota }) => cpuQuota,
    without: { CpuPeriod: 0, CpuQuota: 0 },
    warning: 'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.',
  },
  {
    when: ({ CpuPercent: percent = 0 }) => percent !== 0,
    needs: () => false,
    without: { CpuPercent: 0 },
    warning: 'linux does not support CPU percent. Percent discarded.',
  },
  {
    when: ({ CpusetCpus: cpus = '', CpusetMems: mems = '' }) => cpus !== '' || mems !== '',
    needs: ({ cpuset }) => cpuset,
    without: { CpusetCpus: '', CpusetMems: '' },
    warning: lacks('cpuset', 'Cpuset discarded.'),
  },
];

type Throttle = 'BlkioDeviceReadBps' | 'BlkioDeviceWriteBps' | 'BlkioDeviceReadIOps' | 'BlkioDeviceWriteIOps';

const throttle = (field: Throttle, limit: string, what: string): Discard => ({
  when: ({ [field]: devices }) => (devices ?? []).length > 0,
  needs: ({ blkioThrottle }) => blkioThrottle,
  without: { [field]: [] },
  warning: lacks(`${limit} limit`, `Block I/O ${what} limit discarded.`),
});

const blocks: readonly Discard[] = [
  {
    when: ({ BlkioWeight: weight = 0 }) => weight !== 0,
    needs: ({ blkioWeight }) => blkioWeight,
    without: { BlkioWeight: 0 },
    warning: lacks('Block I/O weight', 'Weight discarded.'),
  },
  {
    when: ({ BlkioWeightDevice: devices }) => (devices ?? []).length > 0,
    needs: ({ blkioWeightDevice }) => blkioWeightDevice,
    without: { BlkioWeightDevice: [] },
    warning: lacks('Block I/O weight_device', 'Weight-device discarded.'),
  },
  throttle('BlkioDeviceReadBps', 'BPS Block I/O read', 'BPS read'),
  throttle('BlkioDeviceWriteBps', 'BPS Block I/O write', 'BPS write'),
  throttle('BlkioDeviceReadIOps', 'IOPS Block read', 'IOPS read'),
  throttle('BlkioDeviceWriteIOps', 'IOPS Block write', 'IOPS write'),
];

/** What Docker takes and then leaves out with a warning, where the kernel does not have it. */
const discards: readonly Discard[] = [...memory, ...processor, ...blocks];

/** The host configuration without what this kernel lacks, and Docker's warnings about that. */
export function discardUnsupported(
  host: HostConfig,
  kernel: CgroupFeatures,
): { readonly host: HostConfig; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  let kept = host;
  for (const { when, needs, without, warning } of discards) {
    if (!when(kept) || needs(kernel)) continue;
    kept = { ...kept, ...without };
    warnings.push(warning);
  }
  if (kept.OomKillDisable && !kept.Memory) {
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    );
  }
  return { host: kept, warnings };
}
