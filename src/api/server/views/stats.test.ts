import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerSample } from '#containers';
import { encodeJson } from '../answer.ts';
import { fakeContainer } from '../fake/backends.ts';
import { containerStats } from './stats.ts';

const cpu = { user: 1, system: 2, periods: 3, throttledPeriods: 4, throttledTime: 5 };
const system = { usage: 1_000, cpus: 2 };

const onV2: ContainerSample = {
  readAt: 1_795_303_427_123_097_193n,
  system,
  memoryLimit: 4096,
  networks: undefined,
  cgroup: {
    version: 2,
    cpu: { ...cpu, usage: 9, perCpu: undefined },
    memory: {
      usage: 1024,
      maxUsage: 2048,
      limit: undefined,
      failures: undefined,
      stats: { anon: 7, file: 3, workingset_refault_anon: 1, workingset_refault_file: 2, zswap: 8 },
    },
    pids: { current: 3, limit: undefined },
    io: [{ major: 8, minor: 0, op: 'read', bytes: 512, operations: 1 }],
  },
};

test('containerStats() leaves out on cgroup v2 what Docker leaves out there', () => {
  const stats = containerStats({ record: fakeContainer({}), sample: onV2, previous: undefined });
  assert.deepEqual(stats.cpu_stats, {
    cpu_usage: { total_usage: 9, usage_in_kernelmode: 2, usage_in_usermode: 1 },
    system_cpu_usage: 1_000,
    online_cpus: 2,
    throttling_data: { periods: 3, throttled_periods: 4, throttled_time: 5 },
  });
  const { stats: counters = {}, ...memory } = stats.memory_stats;
  assert.deepEqual(memory, { usage: 1024, limit: 4096 });
  assert.deepEqual(
    [counters['anon'], counters['workingset_refault'], counters['slab'], counters['zswap']],
    [7, 3, 0, undefined],
  );
  assert.deepEqual(stats.pids_stats, { current: 3 });
  const { io_service_bytes_recursive: bytes, ...others } = stats.blkio_stats;
  assert.deepEqual(bytes, [{ major: 8, minor: 0, op: 'read', value: 512 }]);
  assert.deepEqual([...new Set(Object.values(others))], [null]);
  assert.equal('networks' in stats, false);
  assert.equal(stats.preread, '0001-01-01T00:00:00Z');
});

test('containerStats() writes the limits of cgroup v1 with all their digits', () => {
  const memory = {
    usage: 1,
    maxUsage: 2,
    limit: undefined,
    failures: 3,
    stats: { hierarchical_memory_limit: 9_223_372_036_854_771_712 },
  };
  const onV1: ContainerSample = {
    ...onV2,
    cgroup: { ...onV2.cgroup, version: 1, memory, io: [], cpu: { ...cpu, usage: 9, perCpu: [4, 5] } },
  };
  const stats = containerStats({ record: fakeContainer({}), sample: onV1, previous: onV1 });
  const text = encodeJson(stats.memory_stats);
  assert.match(text, /"hierarchical_memory_limit":9223372036854771712[,}]/);
  assert.match(text, /"max_usage":2.*"failcnt":3,"limit":4096/);
  assert.deepEqual(stats.precpu_stats.cpu_usage.percpu_usage, [4, 5]);
  assert.deepEqual(stats.blkio_stats.io_queue_recursive, []);
});
