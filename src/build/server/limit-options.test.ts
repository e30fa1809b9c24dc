import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extraHostsOf, limitsOf } from './limit-options.ts';

test('limitsOf() reads the limits that are set', () => {
  assert.deepEqual(limitsOf({}), {});
  assert.deepEqual(
    limitsOf({
      ...{ memory: '64000000', memswap: '-1', cpushares: '2', cpusetcpus: '0-1,3', 'cgroup-parent': '/x' },
      ...{ 'shm-size': '1024', ulimit: 'nofile=10:20,core=5,nproc=-1:-1' },
    }),
    {
      ...{ Memory: 64_000_000, MemorySwap: -1, CpuShares: 2, CpusetCpus: '0-1,3', CgroupParent: '/x' },
      ShmSize: 1024,
      Ulimits: [
        { Name: 'nofile', Soft: 10, Hard: 20 },
        { Name: 'core', Soft: 5, Hard: 5 },
        { Name: 'nproc', Soft: -1, Hard: -1 },
      ],
    },
  );
});

test('limitsOf() refuses what is no limit', () => {
  for (const options of [
    { memory: '0' },
    { memory: '1k' },
    { memswap: '-2' },
    { cpusetcpus: 'all' },
    { ulimit: 'nofile' },
    { ulimit: 'nofile=20:10' },
  ]) {
    assert.throws(() => limitsOf(options), /failed to parse/);
  }
});

test('extraHostsOf() reads both spellings', () => {
  assert.deepEqual(extraHostsOf({ 'add-hosts': 'Db=10.0.0.1,six=::1,me:host-gateway' }), [
    'db:10.0.0.1',
    'six:::1',
    'me:host-gateway',
  ]);
  assert.throws(() => extraHostsOf({ 'add-hosts': 'db' }), /invalid key-value pair db/);
});
