import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Cgroup } from './cgroup.ts';
import { changeCgroupLimits, limitWrites, type CgroupLimits } from './cgroup-limits.ts';
import { fileTree } from './testing/file-tree.ts';

const mebibyte = 1024 * 1024;
const v1Controllers = ['memory', 'cpu', 'cpuset', 'pids', 'blkio'];

/** A cgroup `/c` whose files are those of a kernel. */
function cgroupOf(t: TestContext, mode: 'v1' | 'v2', files: Readonly<Record<string, string>>): Cgroup {
  const placed = Object.entries(files).map(([file, text]) => {
    const controller = mode === 'v1' ? (file.split('.')[0] ?? '') : '';
    return [join(controller, 'c', file), text] as const;
  });
  const root = fileTree(t, Object.fromEntries(placed));
  const controllers =
    mode === 'v1' ? new Map(v1Controllers.map((name) => [name, join(root, name)])) : new Map();
  return new Cgroup({ mode, controllers, unified: mode === 'v2' ? root : undefined }, '/c');
}

const writes = (cgroup: Cgroup, before: CgroupLimits, after: CgroupLimits): readonly string[] =>
  limitWrites(cgroup, before, after).map(({ file, value }) => `${file} ${value}`);

test('limitWrites() keeps memory below memory and swap at every step', (t) => {
  const cgroup = cgroupOf(t, 'v1', { 'memory.limit_in_bytes': String(64 * mebibyte) });
  const before = { memory: { limit: 64 * mebibyte, swap: 128 * mebibyte } };
  const memory = (limit: number, swap: number): CgroupLimits => ({
    memory: { limit: limit * mebibyte, swap: swap === -1 ? -1 : swap * mebibyte },
  });
  const files = (after: CgroupLimits): readonly string[] =>
    limitWrites(cgroup, before, after).map(({ file }) => file.split('.')[1] ?? '');
  assert.deepEqual(files(memory(256, 512)), ['memsw', 'limit_in_bytes']);
  assert.deepEqual(files(memory(16, 32)), ['limit_in_bytes', 'memsw']);
  assert.deepEqual(files(memory(32, 96)), ['memsw', 'limit_in_bytes']);
  assert.deepEqual(files(memory(256, -1)), ['memsw', 'limit_in_bytes']);
  assert.deepEqual(files(memory(32, 128)), ['limit_in_bytes']);
  assert.deepEqual(files(before), []);
});

test('limitWrites() knows every limit of v1', (t) => {
  const cgroup = cgroupOf(t, 'v1', { 'cpu.cfs_period_us': '100000', 'blkio.bfq.weight': '100' });
  const after = {
    memory: { reservation: 5 },
    cpu: {
      shares: 512,
      quota: 20_000,
      period: 50_000,
      cpus: '0',
      mems: '0',
      realtimePeriod: 7,
      realtimeRuntime: 6,
    },
    pids: { limit: 9 },
    blockIO: { weight: 300 },
  };
  assert.deepEqual(writes(cgroup, {}, after), [
    'memory.soft_limit_in_bytes 5',
    'cpu.shares 512',
    'cpu.cfs_quota_us 20000',
    'cpu.cfs_period_us 50000',
    'cpu.rt_period_us 7',
    'cpu.rt_runtime_us 6',
    'cpuset.cpus 0',
    'cpuset.mems 0',
    'pids.max 9',
    'blkio.bfq.weight 300',
  ]);
  assert.deepEqual(writes(cgroup, { pids: { limit: 9 } }, {}), ['pids.max max']);
});

test('limitWrites() says the same in the files of v2', (t) => {
  const cgroup = cgroupOf(t, 'v2', { 'io.weight': 'default 100' });
  const after = {
    memory: { limit: 64, swap: 96, reservation: 5 },
    cpu: { shares: 1024, quota: 20_000, cpus: '0-1', mems: '0' },
    pids: { limit: 9 },
    blockIO: { weight: 1000 },
  };
  assert.deepEqual(writes(cgroup, {}, after), [
    'memory.max 64',
    'memory.swap.max 32',
    'memory.low 5',
    'cpu.weight 39',
    'cpu.max 20000 100000',
    'cpuset.cpus 0-1',
    'cpuset.mems 0',
    'pids.max 9',
    'io.weight 10000',
  ]);
  // Swap alone is what the kernel limits, so it follows from both.
  assert.deepEqual(writes(cgroup, after, { ...after, memory: { limit: 80, swap: 96, reservation: 5 } }), [
    'memory.max 80',
    'memory.swap.max 16',
  ]);
  assert.deepEqual(writes(cgroup, {}, { memory: { limit: 64, swap: -1 }, cpu: { quota: -1 } }), [
    'memory.max 64',
    'memory.swap.max max',
    'cpu.max max 100000',
  ]);
});

test('changeCgroupLimits() changes all or nothing', async (t) => {
  const cgroup = cgroupOf(t, 'v2', { 'memory.max': '64\n', 'cpu.weight': '100\n' });
  const after = { memory: { limit: 32 }, cpu: { shares: 1024 }, pids: { limit: 5 } };
  await assert.rejects(changeCgroupLimits(cgroup, {}, after), /write ".*pids\.max|pids\.max: no such file/);
  const read = (file: string): string => readFileSync(join(cgroup.folder('') ?? '', file), 'utf8').trim();
  assert.deepEqual([read('memory.max'), read('cpu.weight')], ['64', '100']);
  await changeCgroupLimits(cgroup, {}, { memory: { limit: 32 } });
  assert.match(read('memory.max'), /^32/);
});
