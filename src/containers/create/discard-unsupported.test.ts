import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostConfig } from '#api/types';
import type { CgroupFeatures } from '#linux';
import { discardUnsupported } from './discard-unsupported.ts';

const all: CgroupFeatures = {
  memoryLimit: true,
  swapLimit: true,
  memoryReservation: true,
  memorySwappiness: true,
  oomKillDisable: true,
  cpuShares: true,
  cpuQuota: true,
  cpuRealtime: true,
  cpuset: true,
  pidsLimit: true,
  blkioWeight: true,
  blkioWeightDevice: true,
  blkioThrottle: true,
  memoryNodes: '0',
};

const everything: HostConfig = {
  Memory: 64e6,
  MemorySwap: 128e6,
  MemoryReservation: 32e6,
  CpuShares: 512,
  CpuQuota: 50_000,
  CpusetCpus: '0',
  PidsLimit: 10,
  BlkioWeight: 300,
  BlkioDeviceReadBps: [{ Path: '/dev/vda', Rate: 1000 }],
};

test('discardUnsupported() keeps all that the kernel has', () => {
  assert.deepEqual(discardUnsupported(everything, all), { host: everything, warnings: [] });
});

test('discardUnsupported() limits memory without swap where swap is not counted', () => {
  const { host, warnings } = discardUnsupported({ Memory: 64e6 }, { ...all, swapLimit: false });
  assert.deepEqual(host, { Memory: 64e6, MemorySwap: -1 });
  assert.deepEqual(warnings, [
    'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
  ]);
});

test('discardUnsupported() leaves out what a kernel without memory control cannot hold, with one warning', () => {
  const { host, warnings } = discardUnsupported(
    { Memory: 64e6, MemorySwap: 128e6 },
    { ...all, memoryLimit: false, swapLimit: false },
  );
  assert.deepEqual(host, { Memory: 0, MemorySwap: -1 });
  assert.deepEqual(warnings, [
    'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
  ]);
});

test('discardUnsupported() warns of each limit by its name', () => {
  const none: CgroupFeatures = {
    ...all,
    pidsLimit: false,
    cpuShares: false,
    cpuQuota: false,
    cpuset: false,
    blkioThrottle: false,
  };
  const { host, warnings } = discardUnsupported(everything, none);
  assert.deepEqual([host.PidsLimit, host.CpuShares, host.CpuQuota, host.CpusetCpus], [null, 0, 0, '']);
  assert.deepEqual(
    warnings.map((warning) => warning.replace(/^Your kernel does not support /, '')),
    [
      'PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
      'CPU shares or the cgroup is not mounted. Shares discarded.',
      'CPU CFS scheduler. CPU period/quota discarded.',
      'cpuset or the cgroup is not mounted. Cpuset discarded.',
      'BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded.',
    ],
  );
});
