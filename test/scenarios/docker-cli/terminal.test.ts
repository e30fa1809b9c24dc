import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../../setup/index.ts';
import { Engine } from './engine.ts';

let engine: Engine;
before(async () => (engine = await Engine.start()));
after(() => engine[Symbol.asyncDispose]());

const running = (name: string): Promise<boolean> =>
  eventually(async () => (await engine.inspect(name, '{{.State.Running}}')) === 'true', {
    what: `${name} runs`,
  });

test('run -it follows the size of the terminal', async () => {
  await using terminal = engine.terminal(['run', '--rm', '-it', 'busybox'], { rows: 33, columns: 101 });
  await terminal.expect(/# /);
  // The size arrives just after the start, as with Docker.
  await eventually(async () => {
    terminal.type('stty size\r');
    await terminal.expect(/33 101\r\n/, 500);
    return true;
  });
  terminal.type("trap 'stty size' WINCH; echo re''ady\r");
  await terminal.expect(/ready\r\n/);
  await terminal.resize({ rows: 44, columns: 132 });
  await eventually(async () => {
    terminal.type('stty size\r');
    await terminal.expect(/44 132\r\n/, 500);
    return true;
  });
  terminal.type('exit 5\r');
  assert.equal(await terminal.exitCode(), 5);
});

test('keys reach the container: ctrl-c, ctrl-d, no local echo', async () => {
  await using terminal = engine.terminal(['run', '--rm', '-it', 'busybox', 'sh']);
  await terminal.expect(/# /);
  terminal.type("sh -c 'echo as''leep; exec sleep 1000'\r");
  await terminal.expect(/asleep\r\n/);
  terminal.type('\x03');
  await terminal.expect(/\^C/);
  terminal.type('echo code $?\r');
  await terminal.expect(/code 130\r\n/);
  terminal.type('\x04');
  assert.equal(await terminal.exitCode(), 0);
});

test('ctrl-p ctrl-q detaches, attach comes back, and both end with the container', async () => {
  await using first = engine.terminal(['run', '-it', '--name', 'kept', 'busybox']);
  await first.expect(/# /);
  first.type('x=kept-value\r');
  await first.expect(/# /);
  first.type('\x10\x11');
  assert.equal(await first.exitCode(), 0);
  assert.equal(await engine.inspect('kept', '{{.State.Running}}'), 'true');
  await using second = engine.terminal(['attach', 'kept']);
  second.type('\r');
  await second.expect(/# /);
  second.type('echo $x; exit 3\r');
  await second.expect(/kept-value\r\n/);
  assert.equal(await second.exitCode(), 3);
  await engine.docker('rm', 'kept');
});

test('--detach-keys are others', async () => {
  await using terminal = engine.terminal([
    'run',
    '-it',
    '--detach-keys',
    'ctrl-a,d',
    '--name',
    'other',
    'busybox',
  ]);
  await terminal.expect(/# /);
  terminal.type('\x10\x11');
  terminal.type('echo still here\r');
  await terminal.expect(/still here\r\n/);
  terminal.type('\x01d');
  assert.equal(await terminal.exitCode(), 0);
  await running('other');
  await engine.docker('rm', '-f', 'other');
});

test('exec -it is a terminal of its own', async () => {
  await engine.docker('run', '-d', '--name', 'host', 'busybox', 'sleep', '1000');
  await using terminal = engine.terminal(['exec', '-it', 'host', 'sh'], { rows: 31, columns: 77 });
  await terminal.expect(/# /);
  await eventually(async () => {
    terminal.type('stty size\r');
    await terminal.expect(/31 77\r\n/, 500);
    return true;
  });
  terminal.type('tty; exit 7\r');
  await terminal.expect(/\/dev\/pts\/\d+\r\n/);
  assert.equal(await terminal.exitCode(), 7);
  await using detached = engine.terminal(['exec', '-it', 'host', 'sh']);
  await detached.expect(/# /);
  detached.type('\x10\x11');
  assert.notEqual(await detached.exitCode(), 137);
  await engine.docker('rm', '-f', 'host');
});

test('the end of one attached client does not end stdin for the next', async () => {
  await engine.docker('run', '-di', '--name', 'shared', 'busybox', 'cat');
  await engine
    .try(['attach', '--sig-proxy=false', 'shared'], { input: 'first\n', timeout: 3000 })
    .catch(() => undefined);
  await using terminal = engine.terminal(['attach', 'shared']);
  terminal.type('second\r');
  await eventually(async () => (await engine.docker('logs', 'shared')) === 'first\nsecond');
  await engine.docker('rm', '-f', 'shared');
});

test('signals go through to a container without a terminal', async () => {
  const script = "trap 'echo got TERM; exit 9' TERM; echo ready; while :; do sleep 0.1; done";
  await using terminal = engine.terminal(['run', '--rm', '--name', 'proxied', 'busybox', 'sh', '-c', script]);
  await terminal.expect(/ready/);
  await engine.docker('kill', '-s', 'TERM', 'proxied');
  await terminal.expect(/got TERM/);
  assert.equal(await terminal.exitCode(), 9);
});

test('attach gets what is written from then on, and gives stdin', async () => {
  const script = 'while read line && [ $line != end ]; do echo "<$line>"; done; echo over; exit 4';
  await engine.docker('run', '-di', '--name', 'echo', 'busybox', 'sh', '-c', script);
  await using terminal = engine.terminal(['attach', 'echo']);
  terminal.type('one\r');
  await terminal.expect(/<one>\r\n/);
  terminal.type('two\rend\r');
  await terminal.expect(/<two>\r\nover\r\n/);
  assert.equal(await terminal.exitCode(), 4);
  assert.equal(await engine.docker('logs', 'echo'), '<one>\n<two>\nover');
  assert.match(
    await engine.fails(1, 'attach', 'echo'),
    /cannot attach to a stopped container, start it first/,
  );
  await engine.docker('rm', 'echo');
});

test('start -ai attaches to a container that was created', async () => {
  await engine.docker('create', '-i', '--name', 'made', 'busybox', 'cat');
  const { code, stdout } = await engine.try(['start', '-ai', 'made'], { input: 'text' });
  assert.deepEqual([code, stdout], [0, 'text']);
  await engine.docker('rm', 'made');
});

test('-t without a terminal on stdin is refused by the client, and output has no carriage returns without -t', async () => {
  assert.match(
    (await engine.try(['run', '--rm', '-it', 'busybox', 'true'])).stderr,
    /the input device is not a TTY|cannot attach stdin to a TTY/,
  );
  assert.equal(await engine.script([], 'echo plain; [ -t 1 ] || echo none'), 'plain\nnone');
});
