import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import type { Engine } from './engine.ts';

interface Stats {
  readonly memory_stats: { readonly usage: number; readonly limit: number };
  readonly pids_stats: { readonly current: number; readonly limit: number };
  readonly cpu_stats: { readonly cpu_usage: { readonly total_usage: number } };
}

/** Control groups of version 2 alone, as on nearly every user's host. */
export function cgroupTests({ daemon, docker }: Engine): void {
  test('stats and update work on cgroup v2', async () => {
    await docker(
      'run',
      '-d',
      '--name',
      'measured',
      '--memory',
      '64m',
      '--pids-limit',
      '40',
      'busybox',
      'sleep',
      '600',
    );
    const stats = async (): Promise<Stats> =>
      JSON.parse((await daemon.get('/containers/measured/stats?stream=0&one-shot=1')).body) as Stats;
    const first = await stats();
    assert.equal(first.memory_stats.limit, 64 << 20);
    assert.ok(first.memory_stats.usage > 0 && first.cpu_stats.cpu_usage.total_usage > 0);
    assert.deepEqual(first.pids_stats, { current: 1, limit: 40 });
    await docker(
      'update',
      '--memory',
      '96m',
      '--memory-swap',
      '96m',
      '--pids-limit',
      '50',
      '--cpus',
      '0.5',
      'measured',
    );
    const show = ['sh', '-c', 'cd /sys/fs/cgroup; cat memory.max memory.swap.max pids.max cpu.max'];
    assert.equal(await docker('exec', 'measured', ...show), `${96 << 20}\n0\n50\n50000 100000`);
    assert.equal((await stats()).memory_stats.limit, 96 << 20);
    await docker('rm', '-f', 'measured');
  });

  test('a container that takes too much memory is told of with limit and peak', async () => {
    await daemon.docker([
      'run',
      '--name',
      'hungry',
      '--memory',
      '16m',
      '--memory-swap',
      '16m',
      'busybox',
      'tail',
      '/dev/zero',
    ]);
    const state = '{{.State.ExitCode}} {{.State.OOMKilled}}';
    assert.equal(await docker('inspect', '-f', state, 'hungry'), '137 true');
    const why = await daemon.wharf(['why', 'hungry']);
    assert.match(why.stdout, /16 ?MiB/i, why.stdout + why.stderr);
    await docker('rm', 'hungry');
  });

  test('--pids-limit stops a fork bomb', async () => {
    const bomb = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; wait; exit 7';
    const { stderr } = await daemon.docker(['run', '--rm', '--pids-limit', '8', 'busybox', 'sh', '-c', bomb]);
    assert.match(stderr, /can't fork: Resource temporarily unavailable/);
  });

  test('devices are guarded by a program of the kernel', async () => {
    const major = statSync('/dev/vda').rdev >> 8;
    const read = `mknod /dev/disk b ${major} 0 && head -c 1 /dev/disk >/dev/null`;
    const { code, stderr } = await daemon.docker(['run', '--rm', 'busybox', 'sh', '-c', read]);
    assert.notEqual(code, 0);
    assert.match(stderr, /Operation not permitted/);
    await docker('run', '--rm', '--device-cgroup-rule', `b ${major}:* rmw`, 'busybox', 'sh', '-c', read);
    await docker(
      'run',
      '--rm',
      '--device',
      '/dev/vda:/dev/disk:r',
      'busybox',
      'head',
      '-c',
      '1',
      '/dev/disk',
    );
    const write = ['--device', '/dev/vdb:/dev/disk:r', 'busybox', 'sh', '-c', ': >>/dev/disk'];
    assert.match((await daemon.docker(['run', '--rm', ...write])).stderr, /Operation not permitted/);
  });

  test('a paused container stands still', async () => {
    await docker('run', '-d', '--name', 'frozen', 'busybox', 'sleep', '600');
    await docker('pause', 'frozen');
    assert.equal(await docker('inspect', '-f', '{{.State.Status}}', 'frozen'), 'paused');
    await docker('unpause', 'frozen');
    await docker('rm', '-f', 'frozen');
  });
}
