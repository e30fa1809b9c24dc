import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { answerOf, busyboxArchive, startDaemon, type Daemon } from '../setup/index.ts';

type Json = Readonly<Record<string, unknown>>;

const mebibyte = 1024 * 1024;
let daemon: Daemon;

before(async () => {
  daemon = await startDaemon();
  await succeed('load', '-i', await busyboxArchive());
});
after(() => daemon[Symbol.asyncDispose]());

function succeed(...args: string[]): Promise<string> {
  return answerOf(daemon.docker, args);
}

async function update(name: string, change: Json): Promise<{ status: number; body: Json }> {
  const { status, body } = await daemon.call('POST', `/v1.51/containers/${name}/update`, change);
  return { status, body: JSON.parse(body) as Json };
}

async function hostConfig(name: string): Promise<Json> {
  const { body } = await daemon.get(`/containers/${name}/json`);
  return (JSON.parse(body) as { HostConfig: Json }).HostConfig;
}

/** Whether the host has pure cgroup v2; then each limit's file bears another name. */
const unified = (await readFile('/proc/self/mountinfo', 'utf8'))
  .split('\n')
  .every((line) => !line.includes(' - cgroup '));

/** What the kernel holds a running container to. */
async function kernelLimit(name: string, v1: string, v2: string): Promise<string> {
  const id = await succeed('inspect', '-f', '{{.Id}}', name);
  const controller = unified ? '' : (v1.split('.')[0] ?? '');
  const path = `/sys/fs/cgroup/${controller}/wharf-${daemon.instance}/${id}/${unified ? v2 : v1}`;
  return (await readFile(path, 'utf8')).trim();
}

test('limits of a running container change in the kernel and in the record, and hold for the next run', async () => {
  await succeed('run', '-d', '--name', 'live', '-m', '64m', 'busybox', 'sleep', '1000');
  const memory = (): Promise<string> => kernelLimit('live', 'memory.limit_in_bytes', 'memory.max');
  // Up and down, in both orders of memory against memory and swap.
  for (const size of [256, 16, 128]) {
    await succeed('update', '-m', `${size}m`, '--memory-swap', `${size * 2}m`, 'live');
    assert.equal(await memory(), String(size * mebibyte));
  }
  assert.equal(await succeed('update', '--cpus', '0.5', '--cpu-shares', '512', 'live'), 'live');
  await succeed('update', '--pids-limit', '30', '--cpuset-cpus', '0', 'live');
  assert.equal(await kernelLimit('live', 'pids.max', 'pids.max'), '30');
  assert.equal(await kernelLimit('live', 'cpuset.cpus', 'cpuset.cpus'), '0');
  if (!unified) assert.equal(await kernelLimit('live', 'cpu.cfs_quota_us', ''), '50000');
  await succeed('update', '--pids-limit', '-1', 'live');
  assert.equal(await kernelLimit('live', 'pids.max', 'pids.max'), 'max');
  await succeed('restart', '-t', '0', 'live');
  assert.equal(await memory(), String(128 * mebibyte));
  const { Memory, MemorySwap, NanoCpus, CpuShares, CpusetCpus, PidsLimit } = await hostConfig('live');
  assert.deepEqual(
    [Memory, MemorySwap, NanoCpus, CpuShares, CpusetCpus, PidsLimit],
    [128 * mebibyte, 256 * mebibyte, 500_000_000, 512, '0', 0],
  );
});

test('what is refused changes nothing', async () => {
  await succeed('create', '--name', 'still', '-m', '64m', '--cpus', '0.5', 'busybox', 'true');
  const { body } = await daemon.get('/containers/still/json');
  const prefix = `Cannot update container ${(JSON.parse(body) as { Id: string }).Id}: `;
  const cases: readonly (readonly [Json, number, string])[] = [
    [{ Memory: 1000 }, 400, 'Minimum memory limit allowed is 6MB'],
    [{ Memory: -5 }, 400, 'Minimum memory limit allowed is 6MB'],
    [{ MemoryReservation: 1000 }, 400, 'Minimum memory reservation allowed is 6MB'],
    [
      { Memory: 512 * mebibyte },
      409,
      `${prefix}Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time`,
    ],
    [
      { CpuQuota: 50_000 },
      409,
      `${prefix}Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set`,
    ],
    [
      { CpuPeriod: 50_000 },
      409,
      `${prefix}Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set`,
    ],
    [{ CpuShares: 1 }, 500, `${prefix}the minimum allowed cpu-shares is 2`],
    [{ CpusetCpus: 'x' }, 400, 'Invalid value x for cpuset cpus: invalid format: x'],
    [
      { RestartPolicy: { Name: 'bogus' } },
      400,
      "invalid restart policy: unknown policy 'bogus'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
    [
      { IOMaximumIOps: 3 },
      400,
      'Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps',
    ],
  ];
  const before = await hostConfig('still');
  for (const [change, status, message] of cases) {
    assert.deepEqual(await update('still', change), { status, body: { message } }, JSON.stringify(change));
  }
  assert.deepEqual(await hostConfig('still'), before);
  assert.equal((await update('nosuch', {})).status, 404);
  assert.deepEqual(await update('still', {}), { status: 200, body: { Warnings: null } });
});

test('what the kernel refuses is taken back whole', { skip: unified }, async () => {
  await succeed('run', '-d', '--name', 'whole', '-m', '64m', 'busybox', 'sleep', '1000');
  const { status, body } = await update('whole', { CpuShares: 256, MemorySwap: 16 * mebibyte });
  assert.equal(status, 500);
  assert.match(
    String(body['message']),
    /failed to write "16777216": write .*memory\.memsw\.limit_in_bytes: /,
  );
  assert.equal(await kernelLimit('whole', 'cpu.shares', ''), '1024');
  const { CpuShares, MemorySwap } = await hostConfig('whole');
  assert.deepEqual([CpuShares, MemorySwap], [0, 128 * mebibyte]);
});

test('the restart policy changes too, and each change is an event', async () => {
  await succeed('create', '--name', 'policy', 'busybox', 'true');
  const since = Math.floor(Date.now() / 1000) - 1;
  const { code, stdout } = await daemon.wharf(['update', '--restart', 'on-failure:3', 'policy']);
  assert.deepEqual([code, stdout], [0, 'policy\n']);
  const { RestartPolicy } = await hostConfig('policy');
  assert.deepEqual(RestartPolicy, { Name: 'on-failure', MaximumRetryCount: 3 });
  const { body } = await daemon.get(
    `/events?since=${since}&until=${Math.ceil(Date.now() / 1000)}&filters={"container":["policy"],"event":["update"]}`,
  );
  assert.equal(body.trim().split('\n').length, 1, body);
  await succeed('create', '--rm', '--name', 'fleeting', 'busybox', 'true');
  const refused = await update('fleeting', { RestartPolicy: { Name: 'always' } });
  assert.equal(refused.status, 409);
  assert.match(String(refused.body['message']), /AutoRemove is enabled for the container$/);
});
