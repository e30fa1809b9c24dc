import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { cgroupFeatures } from './cgroup-features.ts';
import { fileTree } from './testing/file-tree.ts';

test('cgroupFeatures() tells what a v1 hierarchy has', (t) => {
  const root = fileTree(t, {
    'blkio/blkio.weight': '500',
    'cpu/cpu.rt_period_us': '1000000',
    'memory/memory.swappiness': '60',
    'memory/memory.limit_in_bytes': '9223372036854771712',
    nodes: '0-1\n',
  });
  const controllers = new Map(['blkio', 'cpu', 'memory', 'pids'].map((name) => [name, join(root, name)]));
  assert.deepEqual(cgroupFeatures({ mode: 'v1', controllers, unified: undefined }, join(root, 'nodes')), {
    memoryLimit: true,
    swapLimit: false,
    memoryReservation: false,
    memorySwappiness: true,
    oomKillDisable: false,
    cpuShares: false,
    cpuQuota: false,
    cpuRealtime: true,
    cpuset: false,
    pidsLimit: true,
    blkioWeight: true,
    blkioWeightDevice: false,
    blkioThrottle: false,
    memoryNodes: '0-1',
  });
});

test('cgroupFeatures() finds weights of a v2 tree in the groups below', (t) => {
  const weights = (files: Readonly<Record<string, string>>): boolean => {
    const unified = fileTree(t, files);
    return cgroupFeatures({ mode: 'v2', controllers: new Map(), unified }, '/none').blkioWeight;
  };
  const controllers = { 'cgroup.controllers': 'cpu io memory\n' };
  assert.equal(weights({ 'cgroup.controllers': 'cpu memory\n' }), false);
  assert.equal(weights({ ...controllers, 'system.slice/io.stat': '', 'system.slice/io.weight': '' }), true);
  assert.equal(weights({ ...controllers, 'system.slice/io.stat': '' }), false);
  assert.equal(weights({ ...controllers, 'system.slice/cpu.stat': '' }), true);
});
