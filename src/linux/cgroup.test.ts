import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Cgroup, readCgroupHost } from './cgroup.ts';
import { readCgroupStats } from './cgroup-stats.ts';
import { fileTree } from './testing/file-tree.ts';

const mount = (point: string, type: string, options: string): string =>
  `30 23 0:26 / ${point} rw,nosuid - ${type} cgroup rw,${options}`;

test('readCgroupHost() tells v1, hybrid and v2', () => {
  const v2 = readCgroupHost(`${mount('/sys/fs/cgroup', 'cgroup2', 'nsdelegate')}\n`);
  assert.deepEqual([v2.mode, v2.unified, v2.controllers.size], ['v2', '/sys/fs/cgroup', 0]);
  const v1 = readCgroupHost(
    [
      mount('/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'cpu,cpuacct'),
      mount('/sys/fs/cgroup/memory', 'cgroup', 'memory'),
      mount('/sys/fs/cgroup/systemd', 'cgroup', 'xattr,name=systemd'),
    ].join('\n'),
  );
  assert.equal(v1.mode, 'v1');
  assert.deepEqual(
    [...v1.controllers],
    [
      ['cpu', '/sys/fs/cgroup/cpu,cpuacct'],
      ['cpuacct', '/sys/fs/cgroup/cpu,cpuacct'],
      ['memory', '/sys/fs/cgroup/memory'],
      ['name=systemd', '/sys/fs/cgroup/systemd'],
    ],
  );
  const hybrid = readCgroupHost(
    [mount('/c/memory', 'cgroup', 'memory'), mount('/c/unified', 'cgroup2', '')].join('\n'),
  );
  assert.deepEqual([hybrid.mode, hybrid.unified], ['hybrid', '/c/unified']);
  assert.throws(() => readCgroupHost('1 2 0:3 / /proc rw - proc proc rw'), /no cgroup hierarchy/);
});

test('Cgroup reads, freezes and lists a v2 tree', (t) => {
  const root = fileTree(t, {
    'w/c/cgroup.procs': '10\n11\n',
    'w/c/inner/cgroup.procs': '12\n',
    'w/c/cgroup.freeze': '0\n',
    'w/c/cgroup.events': 'populated 1\nfrozen 1\n',
    'w/c/memory.events': 'low 0\nhigh 0\nmax 7\noom 2\noom_kill 1\noom_group_kill 0\n',
    'w/c/memory.current': '4096\n',
    'w/c/memory.max': 'max\n',
    'w/c/memory.stat': 'anon 1024\nfile 2048\n',
    'w/c/cpu.stat':
      'usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 4\nnr_throttled 2\nthrottled_usec 9\n',
    'w/c/pids.current': '3\n',
    'w/c/pids.max': '100\n',
    'w/c/io.stat': '8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n',
  });
  const cgroup = new Cgroup({ mode: 'v2', controllers: new Map(), unified: root }, '/w/c');
  assert.deepEqual(cgroup.pids(), [10, 11, 12]);
  assert.equal(cgroup.oomKills(), 1);
  assert.equal(cgroup.isFrozen(), true);
  cgroup.freeze(true);
  assert.equal(readFileSync(join(root, 'w/c/cgroup.freeze'), 'utf8'), '1');
  assert.deepEqual(readCgroupStats(cgroup), {
    version: 2,
    cpu: {
      usage: 1_500_000,
      user: 1_000_000,
      system: 500_000,
      perCpu: undefined,
      periods: 4,
      throttledPeriods: 2,
      throttledTime: 9000,
    },
    memory: {
      usage: 4096,
      maxUsage: undefined,
      limit: undefined,
      failures: undefined,
      stats: { anon: 1024, file: 2048 },
    },
    pids: { current: 3, limit: 100 },
    io: [
      { major: 8, minor: 0, op: 'read', bytes: 4096, operations: 1 },
      { major: 8, minor: 0, op: 'write', bytes: 8192, operations: 2 },
    ],
  });
});

test('Cgroup reads v1 hierarchies', (t) => {
  const root = fileTree(t, {
    'freezer/w/c/cgroup.procs': '10\n',
    'freezer/w/c/freezer.state': 'THAWED\n',
    'memory/w/c/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n',
    'memory/w/c/memory.usage_in_bytes': '4096\n',
    'memory/w/c/memory.max_usage_in_bytes': '8192\n',
    'memory/w/c/memory.limit_in_bytes': '9223372036854771712\n',
    'memory/w/c/memory.failcnt': '5\n',
    'memory/w/c/memory.stat': 'cache 1\nrss 2\n',
    'cpu/w/c/cpu.stat': 'nr_periods 0\nnr_throttled 0\nthrottled_time 0\n',
    'cpu/w/c/cpuacct.usage': '123456\n',
    'cpu/w/c/cpuacct.usage_percpu': '100000 23456 \n',
    'cpu/w/c/cpuacct.stat': 'user 2\nsystem 1\n',
    'pids/w/c/pids.current': '1\n',
    'pids/w/c/pids.max': 'max\n',
    'blkio/w/c/blkio.throttle.io_service_bytes_recursive':
      '254:0 Read 512\n254:0 Write 0\n254:0 Total 512\nTotal 512\n',
    'blkio/w/c/blkio.throttle.io_serviced_recursive': '254:0 Read 1\n254:0 Write 0\n',
  });
  const names = ['freezer', 'memory', 'cpu', 'pids', 'blkio'];
  const controllers = new Map(names.map((name) => [name, join(root, name)]));
  controllers.set('cpuacct', join(root, 'cpu'));
  const cgroup = new Cgroup({ mode: 'v1', controllers, unified: undefined }, '/w/c');
  assert.deepEqual(cgroup.pids(), [10]);
  assert.equal(cgroup.oomKills(), 3);
  cgroup.freeze(true);
  assert.equal(cgroup.isFrozen(), true);
  const { cpu, memory, pids, io } = readCgroupStats(cgroup);
  assert.deepEqual(
    [cpu.usage, cpu.user, cpu.system, cpu.perCpu],
    [123_456, 20_000_000, 10_000_000, [100_000, 23_456]],
  );
  assert.deepEqual(
    [memory.usage, memory.maxUsage, memory.limit, memory.failures],
    [4096, 8192, undefined, 5],
  );
  assert.deepEqual(pids, { current: 1, limit: undefined });
  assert.deepEqual(io, [
    { major: 254, minor: 0, op: 'Read', bytes: 512, operations: 1 },
    { major: 254, minor: 0, op: 'Write', bytes: 0, operations: 0 },
    { major: 254, minor: 0, op: 'Total', bytes: 512, operations: 0 },
  ]);
});

test('Cgroup makes itself empty and goes, nested ones first', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-cgroup-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'w/c/inner/most'), { recursive: true });
  const cgroup = new Cgroup({ mode: 'v2', controllers: new Map(), unified: root }, '/w/c');
  assert.equal(cgroup.remove(), true);
  assert.equal(cgroup.remove(), true);
  assert.deepEqual(cgroup.pids(), []);
  assert.equal(cgroup.oomKills(), 0);
  assert.throws(() => new Cgroup(cgroup.host, '/'), /not absolute/);
  assert.throws(() => new Cgroup(cgroup.host, '/a/../..'), /not absolute/);
});
