import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../../setup/index.ts';
import { Engine } from './engine.ts';

let engine: Engine;
before(async () => (engine = await Engine.start()));
after(() => engine[Symbol.asyncDispose]());

const ours = { skip: process.env['WHARF_TEST_HOST'] !== undefined };
const reaches = (name: string, format: string, wanted: string): Promise<boolean> =>
  eventually(async () => (await engine.inspect(name, format)) === wanted, {
    timeout: 30_000,
    what: `${name}: ${format} is ${wanted}`,
  });

test('on-failure:2 starts it twice again', async () => {
  await engine.docker(
    'run',
    '-d',
    '--name',
    'flaky',
    '--restart',
    'on-failure:2',
    'busybox',
    'sh',
    '-c',
    'echo try; exit 5',
  );
  await reaches('flaky', '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}', 'exited 2 5');
  assert.equal(await engine.docker('logs', 'flaky'), 'try\ntry\ntry');
  await engine.docker('rm', 'flaky');
  await engine.docker('run', '-d', '--name', 'fine', '--restart', 'on-failure:2', 'busybox', 'true');
  await reaches('fine', '{{.State.Status}} {{.RestartCount}}', 'exited 0');
  await engine.docker('rm', 'fine');
});

test('always starts it again until it is stopped', async () => {
  await engine.docker(
    'run',
    '-d',
    '--name',
    'again',
    '--restart',
    'always',
    'busybox',
    'sh',
    '-c',
    'echo up; sleep 0.2',
  );
  await eventually(async () => Number(await engine.inspect('again', '{{.RestartCount}}')) >= 2, {
    timeout: 20_000,
  });
  await engine.docker('stop', '-t', '1', 'again');
  assert.equal(await engine.inspect('again', '{{.State.Status}}'), 'exited');
  const count = await engine.inspect('again', '{{.RestartCount}}');
  await engine.docker('start', 'again');
  await eventually(async () => (await engine.inspect('again', '{{.State.Status}}')) !== 'exited');
  await engine.docker('rm', '-f', 'again');
  assert.ok(Number(count) >= 2);
  assert.match(
    await engine.fails(125, 'run', '--rm', '--restart', 'always', 'busybox'),
    /conflicting options: cannot specify both --restart and --rm/,
  );
  assert.match(await engine.fails(125, 'run', '--restart', 'sometimes', 'busybox'), /invalid restart policy/);
});

test('update --restart changes the policy of a running container', async () => {
  await engine.docker('run', '-d', '--name', 'changed', '--restart', 'always', 'busybox', 'sleep', '1000');
  await engine.docker('update', '--restart', 'no', 'changed');
  assert.equal(await engine.inspect('changed', '{{.HostConfig.RestartPolicy.Name}}'), 'no');
  await engine.docker('kill', 'changed');
  await reaches('changed', '{{.State.Status}}', 'exited');
  await engine.docker('rm', 'changed');
});

test('what runs after a restart of the daemon is what the policies say', ours, async () => {
  const daemon = engine.daemon;
  assert.ok(daemon);
  const policies = ['no', 'always', 'unless-stopped', 'on-failure'];
  for (const policy of policies) {
    await engine.docker('run', '-d', '--name', policy, '--restart', policy, 'busybox', 'sleep', '1000');
    await engine.docker(
      'run',
      '-d',
      '--name',
      `stopped-${policy}`,
      '--restart',
      policy,
      'busybox',
      'sleep',
      '1000',
    );
    await engine.docker('stop', '-t', '0', `stopped-${policy}`);
  }
  const before = new Map(
    await Promise.all(
      policies.map(async (name) => [name, await engine.inspect(name, '{{.State.Pid}}')] as const),
    ),
  );
  await daemon.kill9();
  await daemon.start();
  // Nothing that ran was touched: containers outlive the daemon.
  for (const [name, pid] of before) assert.equal(await engine.inspect(name, '{{.State.Pid}}'), pid, name);
  // As with the reference engine, only "unless-stopped" remembers that its user had stopped it (its code was 137).
  await reaches('stopped-always', '{{.State.Status}}', 'running');
  await reaches('stopped-on-failure', '{{.State.Status}}', 'running');
  for (const policy of ['no', 'unless-stopped']) {
    assert.equal(await engine.inspect(`stopped-${policy}`, '{{.State.Status}}'), 'exited', policy);
  }
});

test('a container that ends while the daemon is away is started again by its policy', ours, async () => {
  const daemon = engine.daemon;
  assert.ok(daemon);
  const pid = Number(await engine.inspect('always', '{{.State.Pid}}'));
  const other = Number(await engine.inspect('no', '{{.State.Pid}}'));
  await daemon.kill9();
  process.kill(pid, 'SIGKILL');
  process.kill(other, 'SIGKILL');
  await daemon.start();
  await reaches('always', '{{.State.Status}}', 'running');
  assert.notEqual(await engine.inspect('always', '{{.State.Pid}}'), String(pid));
  await reaches('no', '{{.State.Status}} {{.State.ExitCode}}', 'exited 137');
});

test('without live-restore the daemon stops what runs, and starts it again by its policy', ours, async () => {
  await using other = await Engine.start({ flags: ['--live-restore=false'] });
  const policies = ['no', 'always', 'unless-stopped', 'on-failure'];
  const options = (policy: string) => [
    '--restart',
    policy,
    '--stop-timeout',
    '0',
    'busybox',
    'sleep',
    '1000',
  ];
  for (const policy of policies) await other.docker('run', '-d', '--name', policy, ...options(policy));
  await other.docker('run', '-d', '--name', 'stopped', ...options('unless-stopped'));
  await other.docker('stop', 'stopped');
  const pids = await Promise.all(
    policies.map(async (name) => Number(await other.inspect(name, '{{.State.Pid}}'))),
  );
  await other.daemon?.stop();
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  await other.daemon?.start();
  for (const name of ['always', 'unless-stopped', 'on-failure']) {
    await eventually(async () => (await other.inspect(name, '{{.State.Status}}')) === 'running', {
      what: name,
    });
  }
  for (const name of ['no', 'stopped'])
    assert.equal(await other.inspect(name, '{{.State.Status}}'), 'exited', name);
  assert.equal(await other.inspect('no', '{{.State.ExitCode}}'), '137');
});
