import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { eventually } from '../../setup/index.ts';
import { Engine } from '../docker-cli/engine.ts';
import { cgroupFile } from './control-group.ts';
import { covers, wharf } from './covers.ts';

let engine: Engine;
before(async () => (engine = await Engine.start()));
after(() => engine[Symbol.asyncDispose]());

const unified = existsSync('/sys/fs/cgroup/cgroup.controllers');
/** What a container with these flags reads of its own control group. */
const limit = (flags: readonly string[], v1: string, v2: string): Promise<string> =>
  engine.script(flags, cgroupFile(v1, v2));
const refused = (...flags: string[]): Promise<string> =>
  engine.fails(125, 'run', '--rm', ...flags, 'busybox', 'true');
/** What a run that succeeds says on stderr. */
async function warning(...flags: string[]): Promise<string> {
  const { code, stderr } = await engine.try(['run', '--rm', ...flags, 'busybox', 'true']);
  assert.equal(code, 0, stderr);
  return stderr.trim();
}

covers('--memory', 'limits the memory; who takes more is killed with 137', async () => {
  assert.equal(await limit(['-m', '64m'], 'memory/memory.limit_in_bytes', 'memory.max'), `${64 << 20}`);
  const eater = ['--memory', '64m', '--memory-swap', '64m', 'busybox', 'tail', '/dev/zero'];
  assert.equal((await engine.try(['run', '--name', 'eater', ...eater])).code, 137);
  assert.equal(await engine.inspect('eater', '{{.State.OOMKilled}} {{.State.ExitCode}}'), 'true 137');
  await engine.docker('rm', 'eater');
  assert.equal((await wharf(engine)(['run', '--rm', ...eater])).code, 137);
  assert.match(await refused('--memory', '1m'), /Minimum memory limit allowed is 6MB/);
});

covers('--memory-swap', 'limits memory and swap together', async () => {
  const flags = ['-m', '32m', '--memory-swap', '48m'];
  const [v1, v2] = [`${48 << 20}`, `${16 << 20}`];
  const read = await limit(flags, 'memory/memory.memsw.limit_in_bytes', 'memory.swap.max');
  assert.equal(read, unified ? v2 : v1);
  assert.match(
    await refused('-m', '32m', '--memory-swap', '16m'),
    /Minimum memoryswap limit should be larger than memory limit/,
  );
  assert.match(
    await refused('--memory-swap', '16m'),
    /You should always set the Memory limit when using Memoryswap/,
  );
});

covers('--memory-reservation', 'is a soft limit', async () => {
  const flags = ['--memory-reservation', '32m'];
  assert.equal(await limit(flags, 'memory/memory.soft_limit_in_bytes', 'memory.low'), `${32 << 20}`);
  assert.match(
    await refused('-m', '16m', '--memory-reservation', '32m'),
    /can not be less than memory reservation/,
  );
});

covers('--memory-swappiness', 'is set, or discarded by name', async () => {
  if (unified) assert.match(await warning('--memory-swappiness', '30'), /Memory swappiness discarded/);
  else assert.equal(await limit(['--memory-swappiness', '30'], 'memory/memory.swappiness', ''), '30');
});

covers(
  '--kernel-memory',
  'no longer limits anything: newer clients do not send it, older ones are only held to its range',
  async () => {
    assert.equal(await warning('--kernel-memory', '16m'), '');
    if (!engine.daemon) return;
    const old = '/v1.41/containers/create?name=kernel';
    const create = (KernelMemory: number) =>
      engine.daemon?.call('POST', old, { Image: 'busybox', HostConfig: { KernelMemory } });
    assert.match((await create(1))?.body ?? '', /Minimum kernel memory limit allowed is 6MB/);
    assert.equal((await create(16 << 20))?.status, 201);
    await engine.docker('rm', 'kernel');
  },
);

covers('--oom-kill-disable', 'keeps the killer away', async () => {
  if (unified) {
    assert.match(await warning('--oom-kill-disable'), /OomKillDisable discarded/);
    return;
  }
  assert.match(
    await limit(['-m', '64m', '--oom-kill-disable'], 'memory/memory.oom_control', ''),
    /^oom_kill_disable 1$/m,
  );
  assert.match(await warning('--oom-kill-disable'), /OOM killer is disabled .* no memory limit is set/);
});

covers('--oom-score-adj', 'is that of every process', async () => {
  assert.equal(await engine.script(['--oom-score-adj', '321'], 'cat /proc/self/oom_score_adj'), '321');
  assert.match(await refused('--oom-score-adj', '1001'), /range for oom score adj is \[-1000, 1000\]/);
});

covers('--pids-limit', 'stops a fork bomb', async () => {
  await engine.docker(
    ...['run', '-d', '--name', 'bomb', '--pids-limit', '24', '--cpus', '0.3', 'busybox'],
    ...['sh', '-c', '(while :; do sleep 1000 & done) 2>/dev/null; exec sleep 1000'],
  );
  const pids = async (): Promise<number> =>
    (await engine.docker('top', 'bomb', '-eo', 'pid,comm')).split('\n').length - 1;
  await eventually(async () => (await pids()) >= 22, { what: 'the bomb to fill its room' });
  assert.ok((await pids()) <= 24);
  await engine.docker('rm', '-f', 'bomb');
  assert.equal(await limit(['--pids-limit', '17'], 'pids/pids.max', 'pids.max'), '17');
  assert.equal(await limit(['--pids-limit', '-1'], 'pids/pids.max', 'pids.max'), 'max');
});

covers('--cpus', 'is a quota of CPU time', async () => {
  const read = await limit(['--cpus', '0.5'], 'cpu/cpu.cfs_quota_us', 'cpu.max');
  assert.equal(read, unified ? '50000 100000' : '50000');
  const { stdout } = await wharf(engine)([
    ...['run', '--rm', '--cpus', '0.25', 'busybox', 'sh', '-c'],
    cgroupFile('cpu/cpu.cfs_quota_us', 'cpu.max'),
  ]);
  assert.match(stdout, /^25000/);
  assert.match(await refused('--cpus', '9999'), /range of CPUs is from 0.01 to \d+.00, as there are only/);
});

covers('--cpu-period --cpu-quota', 'are the two halves of that quota', async () => {
  const flags = ['--cpu-period', '50000', '--cpu-quota', '20000'];
  const files = `${cgroupFile('cpu/cpu.cfs_quota_us', 'cpu.max')}; ${cgroupFile('cpu/cpu.cfs_period_us', 'cpu.max')}`;
  const read = await engine.script(flags, files);
  assert.equal(read, unified ? '20000 50000\n20000 50000' : '20000\n50000');
  assert.match(await refused('--cpu-period', '10'), /CPU cfs period can not be less than 1ms/);
  assert.match(await refused('--cpu-quota', '10'), /CPU cfs quota can not be less than 1ms/);
  assert.match(await refused('--cpus', '1', '--cpu-quota', '5000'), /Nano CPUs and CPU Quota cannot both/);
});

covers('--cpu-shares', 'weighs against other containers', async () => {
  const read = await limit(['--cpu-shares', '512'], 'cpu/cpu.shares', 'cpu.weight');
  assert.equal(read, unified ? '20' : '512');
  assert.match(await refused('--cpu-shares', '-1'), /invalid CPU shares \(-1\): value must be a positive/);
});

covers(
  '--cpu-rt-period --cpu-rt-runtime',
  'are set where the kernel gives realtime to groups, else refused by name',
  async () => {
    if (unified) {
      assert.match(
        await refused('--cpu-rt-runtime', '1000'),
        /kernel does not support CPU real-time scheduler/,
      );
      return;
    }
    assert.equal(await limit(['--cpu-rt-period', '900000'], 'cpu/cpu.rt_period_us', ''), '900000');
    assert.match(
      await refused('--cpu-rt-period', '1000', '--cpu-rt-runtime', '2000'),
      /cpu real-time runtime cannot be higher than cpu real-time period/,
    );
    // The parent group has no realtime to give.
    assert.match(await refused('--cpu-rt-runtime', '1000'), /cpu\.rt_runtime_us/);
  },
);

covers('--cpuset-cpus --cpuset-mems', 'pin processes to CPUs and memory nodes', async () => {
  const script = "grep -E '^(Cpus|Mems)_allowed_list' /proc/self/status | cut -f2";
  assert.equal(await engine.script(['--cpuset-cpus', '0', '--cpuset-mems', '0'], script), '0\n0');
  assert.match(await refused('--cpuset-cpus', '4096'), /Requested CPUs are not available - requested 4096/);
  assert.match(await refused('--cpuset-mems', '512'), /Requested memory nodes are not available/);
  assert.match(await refused('--cpuset-mems', 'x'), /Invalid value x for cpuset mems: invalid format: x/);
});

covers(
  '--cpu-count --cpu-percent --io-maxbandwidth --io-maxiops',
  'are for Windows: refused by name',
  async () => {
    for (const flag of ['--cpu-count', '--cpu-percent', '--io-maxbandwidth', '--io-maxiops']) {
      const why = `"${flag}" is only supported on a Docker daemon running on windows, but the Docker daemon is running on linux`;
      const args = ['run', '--rm', flag, '1', 'busybox', 'true'];
      assert.ok((await engine.fails(1, ...args)).includes(why));
      assert.ok((await wharf(engine)(args)).stderr.includes(why));
    }
    if (!engine.daemon) return;
    const body = { Image: 'busybox', HostConfig: { IOMaximumIOps: 1 } };
    const answer = await engine.daemon.call('POST', '/containers/create', body);
    assert.deepEqual(
      [answer.status, answer.body.trim()],
      [400, '{"message":"invalid option: QoS maximum IOPs configuration is not supported on linux"}'],
    );
  },
);

const weighted = ['blkio/blkio.weight', 'blkio/blkio.bfq.weight', 'io.weight', 'io.bfq.weight'];

covers('--blkio-weight --blkio-weight-device', 'weigh block I/O, or are discarded by name', async () => {
  const disk = (await readdir('/sys/block'))[0] ?? '';
  const said = await warning('--blkio-weight', '300', '--blkio-weight-device', `/dev/${disk}:400`);
  if (said === '') {
    const files = weighted.map((file) => `/sys/fs/cgroup/${file}`).join(' ');
    const read = await engine.script(['--blkio-weight', '300'], `cat ${files} 2>/dev/null; true`);
    assert.match(read, /\b300\b/);
  } else {
    assert.match(said, /Your kernel does not support Block I\/O weight .* Weight discarded\./);
    assert.match(said, /Your kernel does not support Block I\/O weight_device .* Weight-device discarded\./);
  }
});

covers(
  '--device-read-bps --device-write-bps --device-read-iops --device-write-iops',
  'throttle a block device',
  async () => {
    const [disk = ''] = await readdir('/sys/block');
    const numbers = (await readFile(`/sys/block/${disk}/dev`, 'utf8')).trim();
    const kinds = ['read-bps', 'write-bps', 'read-iops', 'write-iops'];
    const flags = kinds.flatMap((kind, index) => [`--device-${kind}`, `/dev/${disk}:${1000 + index}`]);
    const v1 = kinds.map((kind) => `blkio/blkio.throttle.${kind.replace('-', '_')}_device`);
    const read = unified
      ? await engine.script(flags, 'cat /sys/fs/cgroup/io.max')
      : await engine.script(flags, `cd /sys/fs/cgroup; cat ${v1.join(' ')}`);
    const expected = unified
      ? `${numbers} rbps=1000 wbps=1001 riops=1002 wiops=1003`
      : [1000, 1001, 1002, 1003].map((rate) => `${numbers} ${rate}`).join('\n');
    assert.equal(read, expected);
    assert.match(
      await engine.fails(127, 'run', '--rm', '--device-read-bps', '/dev/none:1kb', 'busybox'),
      /stat \/dev\/none: no such file or directory/,
    );
  },
);

covers('--ulimit', 'sets soft and hard limits', async () => {
  const flags = ['--ulimit', 'nofile=100:200', '--ulimit', 'core=0'];
  const script = "ulimit -Sn; ulimit -Hn; grep '^Max core' /proc/self/limits | tr -s ' ' | cut -d' ' -f5,6";
  assert.equal(await engine.script(flags, script), '100\n200\n0 0');
  assert.match(await refused('--ulimit', 'nonsense=1'), /invalid ulimit type: nonsense/);
  assert.match(await refused('--ulimit', 'nofile=20:10'), /soft limit must be less than or equal to hard/);
});

covers('--shm-size', 'is the size of /dev/shm', async () => {
  const size = 'df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2';
  assert.equal(await engine.script([], size), '65536');
  assert.equal(await engine.script(['--shm-size', '3m'], size), '3072');
});

covers('--stop-signal', 'is what asks a container to stop', async () => {
  const script = 'trap "exit 7" USR1; while :; do sleep 0.05; done';
  await engine.docker(
    'run',
    '-d',
    '--name',
    'usr1',
    '--stop-signal',
    'SIGUSR1',
    'busybox',
    'sh',
    '-c',
    script,
  );
  await engine.docker('stop', '-t', '20', 'usr1');
  assert.equal(await engine.inspect('usr1', '{{.State.ExitCode}} {{.Config.StopSignal}}'), '7 SIGUSR1');
  await engine.docker('rm', 'usr1');
  assert.match(await refused('--stop-signal', 'NONSENSE'), /invalid signal: NONSENSE/);
});

covers('--stop-timeout', 'is how long stopping waits before it kills', async () => {
  const script = 'trap "" TERM; while :; do sleep 0.05; done';
  await engine.docker('run', '-d', '--name', 'deaf', '--stop-timeout', '1', 'busybox', 'sh', '-c', script);
  const began = Date.now();
  await engine.docker('stop', 'deaf');
  const took = Date.now() - began;
  assert.ok(took >= 1000 && took < 8000, `${took} ms`);
  assert.equal(await engine.inspect('deaf', '{{.State.ExitCode}}'), '137');
  await engine.docker('rm', 'deaf');
});

covers('--storage-opt', 'is refused by name where the disk has no project quotas', async () => {
  assert.match(
    await refused('--storage-opt', 'size=10m'),
    /--storage-opt is supported only for overlay over xfs with 'pquota' mount option/,
  );
  assert.match(await refused('--storage-opt', 'colour=red'), /Unknown option colour/);
});

covers('--cgroup-parent', 'is where the control group lies', async () => {
  const parent = `wharf-flags-${process.pid}`;
  try {
    // No namespace of its own: that would hide the parent.
    const flags = ['--cgroup-parent', `/${parent}/inner`, '--cgroupns', 'host'];
    const lines = (await engine.script(flags, 'cat /proc/self/cgroup')).split('\n');
    assert.ok(
      lines.every((line) => /:\/$|:\/wharf-flags-\d+\/inner\/[0-9a-f]{64}$/.test(line)),
      lines.join('\n'),
    );
    assert.ok(lines.some((line) => line.includes(parent)));
  } finally {
    const roots = unified ? [''] : await readdir('/sys/fs/cgroup');
    for (const root of roots) {
      for (const path of [`${parent}/inner`, parent])
        await rmdir(join('/sys/fs/cgroup', root, path)).catch(() => undefined);
    }
  }
});
