import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../../setup/index.ts';
import { Engine } from './engine.ts';

let engine: Engine;
before(async () => (engine = await Engine.start()));
after(() => engine[Symbol.asyncDispose]());

/** They would touch containers of others. */
const ours = { skip: process.env['WHARF_TEST_HOST'] !== undefined };

const status = (name: string): Promise<string> => engine.inspect(name, '{{.State.Status}}');
const reaches = (name: string, wanted: string): Promise<boolean> =>
  eventually(async () => (await status(name)) === wanted, { timeout: 20_000, what: `${name} ${wanted}` });
const lines = (text: string): string[] => text.split('\n').filter(Boolean);

test('a container goes from created over running and exited to removed', async () => {
  const id = await engine.docker(
    'create',
    '--name',
    'life',
    'busybox',
    'sh',
    '-c',
    'trap "exit 4" TERM; sleep 1000 & wait',
  );
  assert.equal(await status('life'), 'created');
  assert.equal(
    await engine.docker('ps', '-a', '--filter', 'name=life', '--format', '{{.Status}}'),
    'Created',
  );
  assert.equal(await engine.docker('start', 'life'), 'life');
  assert.match(
    await engine.docker('ps', '--filter', 'name=life', '--format', '{{.Status}}|{{.Image}}|{{.Names}}'),
    /^Up .+\|busybox\|life$/,
  );
  assert.match(
    await engine.fails(1, 'rm', 'life'),
    new RegExp(
      `cannot remove container "life": container is running: stop the container before removing or force remove|cannot remove container "/life"`,
    ),
  );
  assert.equal(await engine.docker('restart', '-t', '5', 'life'), 'life');
  assert.equal(await status('life'), 'running');
  assert.equal(await engine.docker('stop', 'life'), 'life');
  assert.equal(
    await engine.inspect('life', '{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}} {{.State.Running}}'),
    'exited 4 0 false',
  );
  assert.match(
    await engine.docker('ps', '-a', '--filter', 'name=life', '--format', '{{.Status}}'),
    /^Exited \(4\) .+ ago$/,
  );
  assert.equal(await engine.docker('stop', 'life'), 'life'); // not an error
  assert.match(
    await engine.fails(1, 'kill', 'life'),
    new RegExp(`cannot kill container: life: container ${id} is not running`),
  );
  assert.equal(await engine.docker('rm', 'life'), 'life');
  assert.match(await engine.fails(1, 'start', 'life'), /No such container: life/);
});

test('stop sends the stop signal, and kills when the time is up', async () => {
  const script = 'trap "exit 7" USR1; while :; do sleep 0.1; done';
  await engine.docker(
    'run',
    '-d',
    '--name',
    'polite',
    '--stop-signal',
    'USR1',
    'busybox',
    'sh',
    '-c',
    script,
  );
  await engine.docker(
    'run',
    '-d',
    '--name',
    'deaf',
    '--stop-timeout',
    '1',
    'busybox',
    'sh',
    '-c',
    'trap "" TERM; while :; do sleep 0.1; done',
  );
  await eventually(async () =>
    /SigIgn:\s*0*40/.test(await engine.docker('exec', 'deaf', 'grep', 'SigIgn', '/proc/1/status')),
  );
  const began = Date.now();
  await engine.docker('stop', 'deaf');
  const took = Date.now() - began;
  assert.ok(took >= 1000 && took < 8000, `${took} ms`);
  assert.equal(await engine.inspect('deaf', '{{.State.ExitCode}}'), '137');
  await engine.docker('stop', 'polite');
  assert.equal(await engine.inspect('polite', '{{.State.ExitCode}} {{.Config.StopSignal}}'), '7 USR1');
  await engine.docker('rm', 'polite', 'deaf');
});

test('kill -s sends any signal', async () => {
  const script = 'trap "echo usr1" USR1; trap "echo hup" HUP; echo ready; while :; do sleep 0.1; done';
  await engine.docker('run', '-d', '--name', 'victim', 'busybox', 'sh', '-c', script);
  const log = async (text: string) =>
    await eventually(async () => (await engine.docker('logs', 'victim')).endsWith(text));
  await log('ready');
  await engine.docker('kill', '-s', 'USR1', 'victim');
  await log('usr1');
  await engine.docker('kill', '--signal', 'SIGHUP', 'victim');
  await log('hup');
  assert.match(
    await engine.fails(1, 'kill', '-s', 'NOPE', 'victim'),
    /cannot kill container: victim: invalid signal: NOPE/i,
  );
  await engine.docker('kill', 'victim');
  await reaches('victim', 'exited');
  assert.equal(await engine.inspect('victim', '{{.State.ExitCode}}'), '137');
  await engine.docker('rm', 'victim');
});

test('wait gives the exit code, also of a container that ended before', async () => {
  await engine.docker('run', '-d', '--name', 'short', 'busybox', 'sh', '-c', 'sleep 0.5; exit 6');
  assert.equal(await engine.docker('wait', 'short'), '6');
  assert.equal(await engine.docker('wait', 'short'), '6');
  await engine.docker('rm', 'short');
});

test('pause freezes and unpause goes on', async () => {
  await engine.docker(
    'run',
    '-d',
    '--name',
    'ticker',
    'busybox',
    'sh',
    '-c',
    'while :; do echo tick; sleep 0.05; done',
  );
  await engine.docker('pause', 'ticker');
  assert.equal(
    await engine.inspect('ticker', '{{.State.Status}} {{.State.Paused}} {{.State.Running}}'),
    'paused true true',
  );
  assert.match(
    await engine.docker('ps', '--filter', 'name=ticker', '--format', '{{.Status}}'),
    /\(Paused\)$/,
  );
  const count = async () => lines(await engine.docker('logs', 'ticker')).length;
  const frozen = await count();
  assert.match(await engine.fails(1, 'pause', 'ticker'), /is already paused/);
  assert.match(
    await engine.fails(1, 'exec', 'ticker', 'true'),
    /is paused, unpause the container before exec/,
  );
  assert.equal(await count(), frozen);
  await engine.docker('unpause', 'ticker');
  await eventually(async () => (await count()) > frozen);
  assert.match(await engine.fails(1, 'unpause', 'ticker'), /is not paused/);
  await engine.docker('pause', 'ticker');
  await engine.docker('rm', '-f', 'ticker');
});

test('rename changes the name alone', async () => {
  const id = await engine.docker('create', '--name', 'before', 'busybox');
  await engine.docker('create', '--name', 'taken', 'busybox');
  await engine.docker('rename', 'before', 'after');
  assert.equal(await engine.inspect('after', '{{.Name}} {{.Id}}'), `/after ${id}`);
  assert.match(await engine.fails(1, 'inspect', 'before'), /No such object: before/i);
  assert.match(
    await engine.fails(1, 'rename', 'after', 'taken'),
    /The container name "\/taken" is already in use/,
  );
  await engine.docker('rm', 'after', 'taken');
});

test('top shows the processes as ps does', async () => {
  await engine.docker(
    'run',
    '-d',
    '--name',
    'crowd',
    'busybox',
    'sh',
    '-c',
    'sleep 1001 & sleep 1002 & wait',
  );
  await eventually(async () => (await engine.docker('top', 'crowd')).includes('sleep 1002'));
  const [title = '', ...rows] = lines(await engine.docker('top', 'crowd'));
  assert.match(title, /^UID +PID +PPID +C +STIME +TTY +TIME +CMD/);
  assert.equal(rows.length, 3);
  const [short = '', first = ''] = lines(await engine.docker('top', 'crowd', '-o', 'pid,comm'));
  assert.match(short, /^PID +COMMAND/);
  assert.equal(first.trim().split(/ +/)[0], await engine.inspect('crowd', '{{.State.Pid}}'));
  assert.match(
    await engine.fails(1, 'top', 'crowd', '-o', 'bogus'),
    /ps: error: unknown user-defined format specifier "bogus"$/,
  );
  await engine.docker('rm', '-f', 'crowd');
});

test('exec runs a further process in the container', async () => {
  await engine.docker('run', '-d', '--name', 'base', '-e', 'A=1', '-w', '/tmp', 'busybox', 'sleep', '1000');
  const script = 'echo $A $B; pwd; id -u; id -g';
  assert.equal(
    await engine.docker('exec', '-e', 'B=2', '-u', 'nobody', '-w', '/var', 'base', 'sh', '-c', script),
    '1 2\n/var\n65534\n65534',
  );
  assert.equal(await engine.docker('exec', 'base', 'sh', '-c', script), '1\n/tmp\n0\n0');
  const piped = await engine.try(['exec', '-i', 'base', 'sh', '-c', 'cat; echo err >&2; exit 9'], {
    input: 'in',
  });
  assert.deepEqual(piped, { code: 9, stdout: 'in', stderr: 'err\n' });
  const missing = await engine.try(['exec', 'base', 'no-such-program']);
  assert.equal(missing.code, 127);
  // Docker says it where the program would have spoken.
  assert.match(
    missing.stdout,
    /^OCI runtime exec failed: exec failed: .*exec: "no-such-program": executable file not found in \$PATH/,
  );
  const denied = await engine.try(['exec', 'base', '/etc/passwd']);
  assert.equal(denied.code, 126);
  assert.match(denied.stdout, /exec: "\/etc\/passwd": permission denied/);
  assert.match(
    await engine.fails(1, 'exec', '-u', 'stranger', 'base', 'true'),
    /unable to find user stranger/,
  );
  assert.equal((await engine.try(['exec', 'base', 'sh', '-c', 'kill -9 $$'])).code, 137);
  assert.equal(
    await engine.docker('exec', '-d', 'base', 'sh', '-c', 'echo done >/tmp/done; exec sleep 1003'),
    '',
  );
  await eventually(async () => (await engine.docker('exec', 'base', 'cat', '/tmp/done')) === 'done');
  assert.equal(await engine.docker('exec', 'base', 'sh', '-c', 'ps | grep -c "[s]leep 1003"'), '1');
  const nowhere = await engine.try(['exec', '-w', '/missing', 'base', 'true']);
  assert.equal(nowhere.code, 127);
  assert.match(nowhere.stdout, /chdir to cwd \("\/missing"\).*no such file or directory/);
  await engine.docker('stop', '-t', '0', 'base');
  assert.match(await engine.fails(1, 'exec', 'base', 'true'), /container [0-9a-f]{64} is not running/);
  await engine.docker('rm', 'base');
});

test('logs: --tail, --since, --until, -t and -f', async () => {
  const script =
    'for i in 1 2 3 4 5; do echo line $i; done; sleep 0.2; echo oops >&2; sleep 1.2; echo late; while [ ! -e /end ]; do sleep 0.05; done; echo end';
  await engine.docker('run', '-d', '--name', 'writer', 'busybox', 'sh', '-c', script);
  await eventually(async () => (await engine.docker('logs', 'writer')).includes('late'));
  const logs = async (...options: string[]) => await engine.try(['logs', ...options, 'writer']);
  const all = await logs();
  assert.equal(all.stdout, 'line 1\nline 2\nline 3\nline 4\nline 5\nlate\n');
  assert.equal(all.stderr, 'oops\n');
  assert.equal((await logs('--tail', '3')).stdout, 'line 5\nlate\n');
  assert.equal((await logs('-n', '0')).stdout, '');
  const stamped = lines((await logs('-t')).stdout);
  assert.match(stamped[0] ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line 1$/);
  const late = (stamped.at(-1) ?? '').split(' ')[0] ?? '';
  assert.equal((await logs('--since', late)).stdout, 'late\n');
  assert.equal((await logs('--until', stamped[1]?.split(' ')[0] ?? '')).stdout, 'line 1\nline 2\n');
  assert.equal((await logs('--since', '1h', '--tail', '1')).stdout, 'late\n');
  const following = logs('-f', '--since', late);
  await engine.docker('exec', 'writer', 'touch', '/end');
  assert.equal((await following).stdout, 'late\nend\n');
  assert.equal((await logs('--details')).code, 0);
  await engine.docker('rm', 'writer');
});

test('inspect tells what was asked for', async () => {
  const options = [
    '--name',
    'subject',
    '-e',
    'A=1',
    '-l',
    'k=v',
    '-w',
    '/tmp',
    '-p',
    '127.0.0.1::80',
    '--memory',
    '32m',
    '--restart',
    'no',
  ];
  const id = await engine.docker('run', '-d', ...options, 'busybox', 'sleep', '1000');
  const get = (format: string) => engine.inspect('subject', format);
  assert.equal(await get('{{.Id}} {{.Name}} {{.Path}} {{json .Args}}'), `${id} /subject sleep ["1000"]`);
  assert.match(await get('{{.Created}}'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
  assert.equal(
    await get('{{.Config.Image}} {{.Config.Hostname}} {{.Config.WorkingDir}}'),
    `busybox ${id.slice(0, 12)} /tmp`,
  );
  assert.equal(await get('{{.Image}}'), await engine.docker('image', 'inspect', '-f', '{{.Id}}', 'busybox'));
  assert.equal(
    await get('{{json .Config.Cmd}} {{json .Config.Labels}} {{index .Config.Env 0}}'),
    '["sleep","1000"] {"k":"v"} A=1',
  );
  assert.equal(
    await get(
      '{{.HostConfig.Memory}} {{.HostConfig.NetworkMode}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.IpcMode}}',
    ),
    '33554432 bridge no private',
  );
  assert.match(
    await get('{{json .NetworkSettings.Ports}}'),
    /^{"80\/tcp":\[{"HostIp":"127\.0\.0\.1","HostPort":"\d+"}\]}$/,
  );
  assert.match(await get('{{.NetworkSettings.Networks.bridge.IPAddress}}'), /^\d+\.\d+\.\d+\.\d+$/);
  assert.match(
    await get('{{.NetworkSettings.Networks.bridge.MacAddress}}'),
    /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/,
  );
  assert.equal(await get('{{.State.FinishedAt}}'), '0001-01-01T00:00:00Z');
  assert.match(await get('{{.LogPath}}'), new RegExp(`${id}-json\\.log$`));
  assert.equal(await get('{{.RestartCount}} {{.Platform}} {{.Driver}}'), '0 linux overlay2');
  assert.match(
    await engine.docker('inspect', '-s', '-f', '{{.SizeRw}} {{.SizeRootFs}}', 'subject'),
    /^\d+ \d{7}$/,
  );
  assert.equal(
    await engine.docker('port', 'subject', '80'),
    `127.0.0.1:${await get('{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}')}`,
  );
  assert.equal(await engine.docker('inspect', '-f', '{{.Id}}', id.slice(0, 9)), id);
  await engine.docker('rm', '-f', 'subject');
});

test("events tell of a run in Docker's order", async () => {
  const since = String(Date.now() / 1000);
  await engine
    .docker('run', '--rm', '--name', 'told', '-l', 'sr.told=1', 'busybox', 'sh', '-c', 'exit 3')
    .catch(() => undefined);
  const until = String(Date.now() / 1000 + 0.2);
  const format = '{{.Type}} {{.Action}} {{.Actor.Attributes.exitCode}}';
  await eventually(
    async () =>
      (await engine.docker(
        'events',
        '--since',
        since,
        '--until',
        until,
        '--filter',
        'event=destroy',
        '--filter',
        'container=told',
      )) !== '',
  );
  const told = await engine.docker(
    'events',
    '--since',
    since,
    '--until',
    until,
    '--filter',
    'type=container',
    '--filter',
    'container=told',
    '--format',
    format,
  );
  assert.deepEqual(
    lines(told).map((line) => line.replace(' <no value>', '').trim()),
    ['container create', 'container attach', 'container start', 'container die 3', 'container destroy'],
  );
  const networks = await engine.docker(
    'events',
    '--since',
    since,
    '--until',
    until,
    '--filter',
    'type=network',
    '--format',
    '{{.Action}} {{.Actor.Attributes.name}}',
  );
  assert.deepEqual(lines(networks).slice(0, 2), ['connect bridge', 'disconnect bridge']);
  const labelled = await engine.docker(
    'events',
    '--since',
    since,
    '--until',
    until,
    '--filter',
    'label=sr.told=1',
    '--format',
    '{{.Action}}',
  );
  assert.equal(lines(labelled).length, 5);
});

test('ps filters, formats and sorts', ours, async () => {
  await engine.docker('create', '--name', 'first', 'busybox', 'true');
  await engine.docker('run', '-d', '--name', 'second', '--network', 'none', 'busybox', 'sleep', '1000');
  await engine.try(['run', '--name', 'third', 'busybox', 'sh', '-c', 'exit 5']);
  const names = async (...filters: string[]) =>
    lines(await engine.docker('ps', '-a', '--format', '{{.Names}}', ...filters));
  assert.deepEqual(await names(), ['third', 'second', 'first']);
  assert.deepEqual(await names('-n', '2'), ['third', 'second']);
  assert.deepEqual(await names('-l'), ['third']);
  assert.deepEqual(await names('-f', 'status=exited', '-f', 'exited=5'), ['third']);
  assert.deepEqual(await names('-f', 'status=created', '-f', 'status=running'), ['second', 'first']);
  assert.deepEqual(await names('-f', 'network=none'), ['second']);
  assert.deepEqual(await names('-f', 'name=^/?sec'), ['second']);
  assert.deepEqual(await names('-f', 'before=second'), ['first']);
  assert.deepEqual(await names('-f', 'since=second'), ['third']);
  assert.deepEqual(await names('-f', 'ancestor=busybox'), ['third', 'second', 'first']);
  assert.deepEqual(lines(await engine.docker('ps', '--format', '{{.Names}}')), ['second']);
  assert.match(await engine.fails(1, 'ps', '-f', 'status=weird'), /invalid filter 'status=weird'/);
  await engine.docker('rm', '-f', 'first', 'second', 'third');
});

test('container prune removes what has ended, and only that', ours, async () => {
  await engine.docker('create', '--name', 'stale', '-l', 'keep', 'busybox');
  await engine.docker('run', '--name', 'done', 'busybox', 'true');
  await engine.docker('run', '-d', '--name', 'alive', 'busybox', 'sleep', '1000');
  const kept = await engine.docker('container', 'prune', '-f', '--filter', 'label!=keep');
  assert.match(kept, /^Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed space: \d/);
  assert.deepEqual(lines(await engine.docker('ps', '-a', '--format', '{{.Names}}')).sort(), [
    'alive',
    'stale',
  ]);
  await engine.docker('container', 'prune', '-f');
  assert.equal(await engine.docker('ps', '-a', '--format', '{{.Names}}'), 'alive');
  await engine.docker('rm', '-f', 'alive');
});
