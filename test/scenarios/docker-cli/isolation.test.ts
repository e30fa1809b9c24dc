import assert from 'node:assert/strict';
import { readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Engine } from './engine.ts';

let engine: Engine;
before(async () => (engine = await Engine.start()));
after(() => engine[Symbol.asyncDispose]());

/** The reference engine's packages on this machine lack docker-init. */
const ours = { skip: process.env['WHARF_TEST_HOST'] !== undefined };

const capabilities = (set: string) => `grep ^Cap${set}: /proc/self/status | cut -f2`;
/** Docker's default capabilities, as the kernel shows them. */
const defaults = '00000000a80425fb';

/** The most that a process of this host can have. */
const boundingSet = async (): Promise<string> =>
  /^CapBnd:\t(\S+)/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '';

/** A value of the container's control group: the first of these files that the host has. */
async function limit(name: string, ...files: readonly { v1: string; v2: string }[]): Promise<string[]> {
  const pid = await engine.inspect(name, '{{.State.Pid}}');
  const groups = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).trim().split('\n');
  return Promise.all(
    files.map(async ({ v1, v2 }) => {
      const controller = v1.split('.')[0] ?? '';
      const own = groups
        .map((line) => line.split(':'))
        .find(([, list]) => list?.split(',').includes(controller));
      const unified = groups.find((line) => line.startsWith('0::'))?.slice(3) ?? '';
      const path = own ? `${controller}${own[2] ?? ''}/${v1}` : `${unified}/${v2}`;
      return (await readFile(join('/sys/fs/cgroup', path), 'utf8')).trim();
    }),
  );
}

test('--init puts a small init in front that reaps orphans and passes signals', ours, async () => {
  const orphan = 'cat /proc/1/comm; (sleep 0.1 & exec true) & sleep 0.4; ps -o stat | grep -c Z';
  assert.match(await engine.script(['--init'], `${orphan}; true`), /^(tini|docker-init|\S*init)\n0$/);
  await engine.docker('run', '-d', '--init', '--name', 'init', 'busybox', 'sleep', '1000');
  await engine.docker('stop', '-t', '20', 'init');
  assert.equal(await engine.inspect('init', '{{.State.ExitCode}} {{.HostConfig.Init}}'), '143 true');
  await engine.docker('rm', 'init');
});

test('--read-only leaves only the mounts writable', async () => {
  const script =
    'touch /file 2>/dev/null && echo root; touch /tmp/file && echo tmp; touch /dev/shm/file && echo shm; true';
  assert.equal(await engine.script(['--read-only', '--tmpfs', '/tmp'], script), 'tmp\nshm');
  assert.match(
    (await engine.try(['run', '--rm', '--read-only', 'busybox', 'touch', '/file'])).stderr,
    /Read-only file system/,
  );
});

test('--tmpfs takes options and hides what the image has', async () => {
  const script =
    'grep " /run/x " /proc/mounts | cut -d" " -f3-4; df -k /run/x | tail -1 | tr -s " " | cut -d" " -f2; stat -c %a /run/x';
  const [options = '', size, mode] = (
    await engine.script(['--tmpfs', '/run/x:rw,size=1m,mode=1770,noexec'], script)
  ).split('\n');
  assert.match(options, /^tmpfs rw,nosuid,nodev,noexec/);
  assert.deepEqual([size, mode], ['1024', '1770']);
  assert.equal(await engine.script(['--tmpfs', '/etc'], 'ls /etc | grep -c passwd; true'), '0');
  assert.equal(
    await engine.script(['--shm-size', '5m'], 'df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2'),
    '5120',
  );
});

test('limits are written to the control group', async () => {
  const limits = ['--memory', '64m', '--memory-reservation', '32m', '--cpus', '0.5', '--cpu-shares', '512'];
  await engine.docker(
    'run',
    '-d',
    '--name',
    'limited',
    ...limits,
    '--pids-limit',
    '17',
    '--cpuset-cpus',
    '0',
    'busybox',
    'sleep',
    '1000',
  );
  const [memory, soft, pids, set] = await limit(
    'limited',
    { v1: 'memory.limit_in_bytes', v2: 'memory.max' },
    { v1: 'memory.soft_limit_in_bytes', v2: 'memory.low' },
    { v1: 'pids.max', v2: 'pids.max' },
    { v1: 'cpuset.cpus', v2: 'cpuset.cpus' },
  );
  assert.deepEqual([memory, soft, pids, set], [`${64 << 20}`, `${32 << 20}`, '17', '0']);
  const [cpu = ''] = await limit('limited', { v1: 'cpu.cfs_quota_us', v2: 'cpu.max' });
  assert.match(cpu, /^50000/);
  const format =
    '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}} {{.HostConfig.MemorySwap}}';
  assert.equal(await engine.inspect('limited', format), '67108864 500000000 17 134217728');
  const fork = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 5 & done; wait';
  assert.match(
    (await engine.try(['run', '--rm', '--pids-limit', '10', 'busybox', 'sh', '-c', fork])).stderr,
    /can't fork/,
  );
  await engine.docker('rm', '-f', 'limited');
});

test('a container that takes too much memory is killed and says so', async () => {
  const { code } = await engine.try([
    'run',
    '--name',
    'eater',
    '-m',
    '16m',
    '--memory-swap',
    '16m',
    'busybox',
    'tail',
    '/dev/zero',
  ]);
  assert.equal(code, 137);
  assert.equal(await engine.inspect('eater', '{{.State.ExitCode}} {{.State.OOMKilled}}'), '137 true');
  await engine.docker('rm', 'eater');
});

test("capabilities are Docker's defaults, less what --cap-drop and more what --cap-add says", async () => {
  const all = ['Prm', 'Eff', 'Bnd'].map(capabilities).join('; ');
  assert.equal(await engine.script([], all), [defaults, defaults, defaults].join('\n'));
  assert.equal(
    await engine.script([], ['Inh', 'Amb'].map(capabilities).join('; ')),
    '0000000000000000\n0000000000000000',
  );
  assert.equal(
    await engine.script(['--cap-drop', 'ALL'], all),
    '0000000000000000\n0000000000000000\n0000000000000000',
  );
  assert.equal(
    await engine.script(
      ['--cap-drop', 'all', '--cap-add', 'CHOWN', '--cap-add', 'net_admin'],
      capabilities('Eff'),
    ),
    '0000000000001001',
  );
  assert.equal(
    await engine.script(['--cap-add', 'SYS_PTRACE', '--cap-drop', 'CAP_MKNOD'], capabilities('Bnd')),
    '00000000a00c25fb',
  );
  assert.equal(
    await engine.script(['-u', 'nobody'], ['Prm', 'Eff', 'Bnd'].map(capabilities).join('; ')),
    `0000000000000000\n0000000000000000\n${defaults}`,
  );
});

test('--security-opt sets no-new-privileges and the system calls allowed', async () => {
  const status = (name: string) => `grep ^${name}: /proc/self/status | cut -f2`;
  assert.equal(await engine.script([], `${status('NoNewPrivs')}; ${status('Seccomp')}`), '0\n2');
  assert.equal(await engine.script(['--security-opt', 'no-new-privileges'], status('NoNewPrivs')), '1');
  assert.equal(await engine.script(['--security-opt', 'no-new-privileges=false'], status('NoNewPrivs')), '0');
  assert.equal(await engine.script(['--security-opt', 'seccomp=unconfined'], status('Seccomp')), '0');
  const profile = join(engine.folder, 'profile.json');
  await writeFile(
    profile,
    JSON.stringify({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }],
    }),
  );
  const made = await engine.script(
    ['--security-opt', `seccomp=${profile}`],
    'mkdir /x 2>&1; touch /y && echo touched',
  );
  assert.match(made, /Operation not permitted\ntouched$/);
  // The default profile refuses unshare without CAP_SYS_ADMIN, in exec as well.
  assert.match(
    (await engine.try(['run', '--rm', 'busybox', 'unshare', '-m', 'true'])).stderr,
    /Operation not permitted/,
  );
  await engine.docker('run', '-d', '--name', 'confined', 'busybox', 'sleep', '1000');
  assert.equal(
    await engine.docker('exec', 'confined', 'sh', '-c', `${status('Seccomp')}; ${capabilities('Eff')}`),
    `2\n${defaults}`,
  );
  assert.equal(
    await engine.docker(
      'exec',
      '--privileged',
      'confined',
      'sh',
      '-c',
      `${status('Seccomp')}; ${capabilities('Eff')}`,
    ),
    `2\n${await boundingSet()}`,
  );
  await engine.docker('rm', '-f', 'confined');
});

test('--oom-score-adj holds for the container and what is executed in it', async () => {
  await engine.docker(
    'run',
    '-d',
    '--name',
    'sacrifice',
    '--oom-score-adj',
    '500',
    'busybox',
    'sleep',
    '1000',
  );
  const scores = await engine.docker(
    'exec',
    'sacrifice',
    'cat',
    '/proc/1/oom_score_adj',
    '/proc/self/oom_score_adj',
  );
  assert.equal(scores, '500\n500');
  await engine.docker('rm', '-f', 'sacrifice');
});

test('--ulimit sets soft and hard limits', async () => {
  const args = ['--ulimit', 'nofile=100:200', '--ulimit', 'core=0', '--ulimit', 'nproc=50'];
  const script =
    "ulimit -Sn; ulimit -Hn; grep -E '^Max (core|processes)' /proc/self/limits | tr -s ' ' | cut -d' ' -f2-6";
  assert.equal(await engine.script(args, script), '100\n200\ncore file size 0 0\nprocesses 50 50 processes ');
});

test('--privileged gives every device, capability and a writable /sys', async () => {
  const full = capabilities('Eff');
  assert.equal(
    await engine.script(
      ['--privileged'],
      `${full}; ls /dev | grep -c -E '^(kmsg|loop-control|fuse)$'; grep ' /sys ' /proc/mounts | cut -d' ' -f4 | cut -c1-2; grep ^Seccomp: /proc/self/status | cut -f2`,
    ),
    `${await boundingSet()}\n3\nrw\n0`,
  );
  const plain =
    "grep ' /sys ' /proc/mounts | cut -d' ' -f4 | cut -c1-2; ls /dev | grep -v core | tr '\\n' ' '; echo; [ -c /proc/timer_list ] && echo masked; touch /proc/sys/x 2>&1";
  const [sys, devices, masked, proc] = (await engine.script([], `${plain}; true`)).split('\n');
  assert.deepEqual([sys, masked], ['ro', 'masked']);
  assert.equal(devices, 'fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero ');
  assert.match(proc ?? '', /Read-only file system|No such file/);
});

test('--device brings a device with its permissions', async () => {
  const read = 'head -c1 /dev/here | wc -c; ls -l /dev/here | cut -c1';
  assert.equal(await engine.script(['--device', '/dev/zero:/dev/here:r'], read), '1\nc');
  const kmsg = ['--device', '/dev/kmsg:/dev/here:r'];
  assert.match(
    await engine.script(kmsg, 'echo x 2>&1 >/dev/here; true'),
    /Operation not permitted|Permission denied/,
  );
  assert.match(
    await engine.fails(127, 'run', '--rm', '--device', '/dev/missing', 'busybox'),
    /error gathering device information while adding custom device "\/dev\/missing": no such file or directory/,
  );
});

test('namespaces are shared on request: --pid, --ipc, --uts, --network host', async () => {
  const kinds = ['pid', 'ipc', 'uts', 'net'];
  const show = `for kind in ${kinds.join(' ')}; do readlink /proc/self/ns/$kind; done`;
  const host = await engine.script(['--pid=host', '--ipc=host', '--uts=host', '--network=host'], show);
  const here = await Promise.all(kinds.map((kind) => readlink(`/proc/self/ns/${kind}`)));
  if (engine.daemon) assert.deepEqual(host.split('\n'), here);
  const own = (await engine.script([], show)).split('\n');
  assert.deepEqual(
    own.filter((name) => host.includes(name)),
    [],
  );
  await engine.docker('run', '-d', '--name', 'owner', '--ipc', 'shareable', 'busybox', 'sleep', '1000');
  const shared = await engine.script(
    ['--pid', 'container:owner', '--ipc', 'container:owner'],
    'ps | grep -c "sleep 1000"; readlink /proc/self/ns/ipc',
  );
  const theirs = await engine.docker('exec', 'owner', 'readlink', '/proc/self/ns/ipc');
  assert.deepEqual(shared.split('\n').slice(1), [theirs]);
  await engine.script(['--ipc', 'container:owner'], 'echo word >/dev/shm/file; mount | grep -c mqueue');
  assert.equal(await engine.docker('exec', 'owner', 'cat', '/dev/shm/file'), 'word');
  assert.equal(await engine.script(['--ipc', 'none'], 'ls /dev/shm 2>/dev/null; true'), '');
  const alone = await engine.docker('run', '-d', '--name', 'alone', 'busybox', 'sleep', '1000');
  assert.match(
    await engine.fails(125, 'run', '--rm', '--ipc', 'container:alone', 'busybox'),
    new RegExp(`failed to join IPC namespace: container ${alone}: non-shareable IPC`),
  );
  await engine.docker('rm', '-f', 'alone');
  assert.match(
    await engine.fails(125, 'run', '--rm', '--pid', 'container:none-such', 'busybox'),
    /No such container: none-such/,
  );
  await engine.docker('rm', '-f', 'owner');
});

test('--sysctl sets kernel parameters of the namespaces', async () => {
  assert.equal(
    await engine.script(
      ['--sysctl', 'net.ipv4.ip_forward=0', '--sysctl', 'kernel.msgmax=1234'],
      'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax',
    ),
    '0\n1234',
  );
  assert.match(
    await engine.fails(
      125,
      'run',
      '--rm',
      '--network',
      'host',
      '--sysctl',
      'net.ipv4.ip_forward=0',
      'busybox',
      'true',
    ),
    /sysctl \S*net.ipv4.ip_forward/,
  );
});
