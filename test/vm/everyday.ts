import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../setup/index.ts';
import type { Engine } from './engine.ts';

/** What people do every day, on the kind of host that most of them have. */
export function everydayTests({ daemon, docker }: Engine): void {
  test('run gives output and exit code', async () => {
    const { code, stdout } = await daemon.docker(['run', '--rm', 'busybox', 'sh', '-c', 'echo hi; exit 42']);
    assert.deepEqual({ code, stdout }, { code: 42, stdout: 'hi\n' });
  });

  test('limits arrive in the control group', async () => {
    const show = 'cd /sys/fs/cgroup; cat memory.max pids.max cpu.max';
    const limits = ['--memory', '64m', '--pids-limit', '33', '--cpus', '0.5'];
    assert.equal(
      await docker('run', '--rm', ...limits, 'busybox', 'sh', '-c', show),
      '67108864\n33\n50000 100000',
    );
  });

  test('a container that takes too much memory is killed and says so', async () => {
    const eat = 'exec tail /dev/zero';
    await daemon.docker([
      'run',
      '--name',
      'eater',
      '--memory',
      '16m',
      '--memory-swap',
      '16m',
      'busybox',
      'sh',
      '-c',
      eat,
    ]);
    assert.equal(
      await docker('inspect', '-f', '{{.State.ExitCode}} {{.State.OOMKilled}}', 'eater'),
      '137 true',
    );
    await docker('rm', 'eater');
  });

  test('logs and exec see a running container', async () => {
    await docker('run', '-d', '--name', 'talker', 'busybox', 'sh', '-c', 'echo one; echo two >&2; sleep 600');
    await eventually(async () => (await daemon.docker(['logs', 'talker'])).stdout === 'one\n');
    assert.equal((await daemon.docker(['logs', 'talker'])).stderr, 'two\n');
    assert.equal(await docker('exec', 'talker', 'sh', '-c', 'cat /proc/1/comm'), 'sleep');
    await docker('rm', '-f', 'talker');
  });

  test('a published port answers on loopback and on the address of the host', async () => {
    const serve = 'echo found >/var/www/index.html; exec httpd -f -p 80 -h /var/www';
    await docker('run', '-d', '--name', 'web', '-p', '8080:80', 'busybox', 'sh', '-c', serve);
    for (const address of ['127.0.0.1', '10.0.2.15']) {
      const text = await eventually(async () => (await fetch(`http://${address}:8080/`)).text(), {
        what: address,
      });
      assert.equal(text, 'found\n');
    }
    await docker('rm', '-f', 'web');
  });

  test('containers of a network find each other by name', async () => {
    await docker('network', 'create', 'friends');
    await docker('run', '-d', '--name', 'alice', '--network', 'friends', 'busybox', 'sleep', '600');
    const ping = await docker('run', '--rm', '--network', 'friends', 'busybox', 'ping', '-c', '1', 'alice');
    assert.match(ping, /1 packets received/);
    await docker('rm', '-f', 'alice');
    await docker('network', 'rm', 'friends');
  });

  test('containers and exit codes survive a killed daemon', async () => {
    await docker('run', '-d', '--name', 'stays', 'busybox', 'sleep', '600');
    await docker(
      'run',
      '-d',
      '--name',
      'ends',
      'busybox',
      'sh',
      '-c',
      'while [ ! -e /go ]; do sleep 0.2; done; exit 42',
    );
    await docker('exec', 'ends', 'sh', '-c', '(sleep 1; touch /go) >/dev/null 2>&1 &');
    await daemon.kill9();
    await daemon.start();
    assert.equal(await docker('inspect', '-f', '{{.State.Running}}', 'stays'), 'true');
    await eventually(async () => (await docker('inspect', '-f', '{{.State.ExitCode}}', 'ends')) === '42', {
      timeout: 30_000,
    });
    await docker('rm', '-f', 'stays', 'ends');
  });
}
