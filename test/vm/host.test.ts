import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { command, succeed } from '../setup/commands.ts';

test('the virtual machine has cgroup v2 and nothing else', async () => {
  const mounts = await readFile('/proc/mounts', 'utf8');
  assert.match(mounts, /^cgroup2 \/sys\/fs\/cgroup cgroup2 /m);
  assert.doesNotMatch(mounts, /^cgroup .* cgroup /m);
  const controllers = await readFile('/sys/fs/cgroup/cgroup.controllers', 'utf8');
  for (const name of ['cpu', 'io', 'memory', 'pids']) assert.ok(controllers.includes(name), name);
});

test('the virtual machine has AppArmor and systemd', async () => {
  assert.equal((await readFile('/sys/module/apparmor/parameters/enabled', 'utf8')).trim(), 'Y');
  assert.equal((await readFile('/proc/1/comm', 'utf8')).trim(), 'systemd');
});

test('crun runs a bundle with limits and leaves nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-vm-'));
  try {
    await mkdir(join(folder, 'rootfs/bin'), { recursive: true });
    for (const name of ['dev', 'proc', 'sys']) await mkdir(join(folder, 'rootfs', name));
    await cp('/bin/busybox', join(folder, 'rootfs/bin/busybox'));
    const script = 'cat /sys/fs/cgroup/memory.max; cat /sys/fs/cgroup/pids.max; exit 42';
    const namespaces = ['pid', 'mount', 'cgroup', 'network', 'ipc', 'uts'].map((type) => ({ type }));
    const config = {
      ociVersion: '1.0.0',
      process: {
        user: { uid: 0, gid: 0 },
        args: ['/bin/busybox', 'sh', '-c', script],
        cwd: '/',
        env: ['PATH=/bin'],
      },
      root: { path: 'rootfs' },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/sys', type: 'sysfs', source: 'sysfs' },
        { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro'] },
      ],
      linux: {
        namespaces,
        cgroupsPath: '/wharf-vm-test/one',
        resources: { memory: { limit: 67108864 }, pids: { limit: 77 } },
      },
    };
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    await succeed('sh', ['-c', 'ln -sf busybox "$1/rootfs/bin/cat"', 'sh', folder]);
    const { code, stdout, stderr } = await command('crun', ['run', '--bundle', folder, 'vm-test']);
    assert.equal(stdout, '67108864\n77\n', stderr);
    assert.equal(code, 42);
    assert.deepEqual(
      (await readdir('/sys/fs/cgroup')).filter((name) => name.startsWith('vm-test')),
      [],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
