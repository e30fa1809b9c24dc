import assert from 'node:assert/strict';
import { test } from 'node:test';
import { specResources } from './resources.ts';

const numbers = (path: string): { major: number; minor: number } => ({ major: 254, minor: path.length });

test('specResources() carries every limit', () => {
  const resources = specResources(
    {
      Memory: 64,
      MemorySwap: -1,
      MemoryReservation: 32,
      MemorySwappiness: 0,
      OomKillDisable: true,
      CpuShares: 512,
      NanoCpus: 1_500_000_000,
      CpuRealtimePeriod: 7,
      CpuRealtimeRuntime: 6,
      CpusetCpus: '0-1',
      CpusetMems: '0',
      PidsLimit: 9,
      BlkioWeight: 300,
      BlkioWeightDevice: [{ Path: '/dev/a', Weight: 200 }],
      BlkioDeviceReadBps: [{ Path: '/dev/a', Rate: 1 }],
      BlkioDeviceWriteBps: [{ Path: '/dev/a', Rate: 2 }],
      BlkioDeviceReadIOps: [{ Path: '/dev/a', Rate: 3 }],
      BlkioDeviceWriteIOps: [{ Path: '/dev/a', Rate: 4 }],
    },
    [],
    numbers,
  );
  const device = { major: 254, minor: 6 };
  assert.deepEqual(resources, {
    devices: [],
    memory: { limit: 64, reservation: 32, swap: -1, swappiness: 0, disableOOMKiller: true },
    cpu: {
      shares: 512,
      quota: 150_000,
      period: 100_000,
      realtimePeriod: 7,
      realtimeRuntime: 6,
      cpus: '0-1',
      mems: '0',
    },
    pids: { limit: 9 },
    blockIO: {
      weight: 300,
      weightDevice: [{ ...device, weight: 200 }],
      throttleReadBpsDevice: [{ ...device, rate: 1 }],
      throttleWriteBpsDevice: [{ ...device, rate: 2 }],
      throttleReadIOPSDevice: [{ ...device, rate: 3 }],
      throttleWriteIOPSDevice: [{ ...device, rate: 4 }],
    },
  });
});

test('specResources() leaves out what is zero, none or unlimited', () => {
  const host = { Memory: 0, MemorySwap: 100, MemorySwappiness: null, CpuQuota: -1, PidsLimit: 0 };
  assert.deepEqual(specResources(host, [], numbers), { devices: [], cpu: { quota: -1 } });
});
