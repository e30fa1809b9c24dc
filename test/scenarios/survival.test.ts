import assert from 'node:assert/strict';
import { kill } from 'node:process';
import { test } from 'node:test';
import {
  answerOf,
  assertNoLeaks,
  busyboxArchive,
  dockerProgram,
  eventually,
  startDaemon,
  Terminal,
  type Daemon,
} from '../setup/index.ts';

interface State {
  readonly Status: string;
  readonly Running: boolean;
  readonly ExitCode: number;
  readonly Error: string;
  readonly Pid: number;
}

function succeed(daemon: Daemon, ...args: string[]): Promise<string> {
  return answerOf(daemon.docker, args);
}

async function stateOf(daemon: Daemon, name: string): Promise<State> {
  const { status, body } = await daemon.get(`/containers/${name}/json`);
  assert.equal(status, 200, body);
  return (JSON.parse(body) as { State: State }).State;
}

/** 18 that sleep, one that prints 10,000 lines over a few seconds, one that exits with 42, and a terminal. */
async function startCrowd(daemon: Daemon): Promise<readonly string[]> {
  await succeed(daemon, 'load', '-i', await busyboxArchive());
  const sleepers = Array.from({ length: 18 }, (_, index) => `sleeper${index}`);
  await Promise.all(
    sleepers.map((name) => succeed(daemon, 'run', '-d', '--name', name, 'busybox', 'sleep', '1000')),
  );
  const chatter =
    'i=0; while [ $i -lt 10000 ]; do echo line $i; i=$((i+1)); [ $((i%500)) = 0 ] && sleep 0.2; done';
  await succeed(daemon, 'run', '-d', '--name', 'chatty', 'busybox', 'sh', '-c', chatter);
  await succeed(daemon, 'run', '-d', '--name', 'ender', 'busybox', 'sh', '-c', 'sleep 1; exit 42');
  await succeed(daemon, 'run', '-dit', '--name', 'terminal', 'busybox', 'sh');
  return sleepers;
}

async function assertCrowd(daemon: Daemon, sleepers: readonly string[]): Promise<void> {
  const expected = Array.from({ length: 10_000 }, (_, index) => `line ${index}`);
  await eventually(async () => (await stateOf(daemon, 'chatty')).Status === 'exited', { timeout: 30_000 });
  assert.deepEqual((await succeed(daemon, 'logs', 'chatty')).split('\n'), expected);
  assert.equal(await succeed(daemon, 'wait', 'ender'), '42');
  for (const name of sleepers) assert.equal((await stateOf(daemon, name)).Status, 'running', name);
  await assertTerminalAnswers(daemon);
}

async function assertTerminalAnswers(daemon: Daemon): Promise<void> {
  await using terminal = new Terminal(dockerProgram(), ['-H', daemon.host, 'attach', 'terminal']);
  terminal.type('\r');
  await terminal.expect(/#/);
  terminal.type('echo sum $((20+3))\r');
  await terminal.expect(/sum 23/);
  terminal.type('\x10\x11');
  await terminal.expect(/read escape sequence/);
}

test('containers, their output and exit codes survive a kill -9 of the daemon', async () => {
  await using daemon = await startDaemon();
  const sleepers = await startCrowd(daemon);
  await daemon.kill9();
  await daemon.start();
  await assertCrowd(daemon, sleepers);
});

test('the supervisor is upgraded in place under running containers', async () => {
  await using daemon = await startDaemon();
  const sleepers = await startCrowd(daemon);
  const before = await daemon.supervisorPid();
  kill(daemon.pid, 'SIGUSR2');
  await eventually(async () => (await daemon.log()).includes('the supervisor was upgraded in place'));
  assert.equal(await daemon.supervisorPid(), before);
  await assertCrowd(daemon, sleepers);
});

test('an exit that a killed supervisor missed is unknown, never 0', async () => {
  await using daemon = await startDaemon();
  await succeed(daemon, 'load', '-i', await busyboxArchive());
  await succeed(daemon, 'run', '-d', '--name', 'stays', 'busybox', 'sleep', '1000');
  await succeed(daemon, 'run', '-d', '--name', 'ends', 'busybox', 'sh', '-c', 'sleep 2');
  const { Pid } = await stateOf(daemon, 'ends');
  await daemon.kill9();
  kill(await daemon.supervisorPid(), 'SIGKILL');
  kill(Pid, 'SIGKILL');
  await daemon.start();
  await eventually(async () => (await stateOf(daemon, 'ends')).Status === 'exited');
  const ended = await stateOf(daemon, 'ends');
  assert.match(ended.Error, /exit code unknown/);
  assert.notEqual(ended.ExitCode, 0);
  assert.equal((await stateOf(daemon, 'stays')).Running, true);
  assert.equal(await succeed(daemon, 'exec', 'stays', 'echo', 'here'), 'here');
  await succeed(daemon, 'kill', 'stays');
  await eventually(async () => (await stateOf(daemon, 'stays')).Status === 'exited');
});

test('the supervisor may be killed under a daemon that goes on', async () => {
  await using daemon = await startDaemon();
  await succeed(daemon, 'load', '-i', await busyboxArchive());
  await succeed(daemon, 'run', '-d', '--name', 'stays', 'busybox', 'sleep', '1000');
  kill(await daemon.supervisorPid(), 'SIGKILL');
  assert.equal(await succeed(daemon, 'run', '--rm', 'busybox', 'echo', 'new'), 'new');
  assert.equal((await stateOf(daemon, 'stays')).Running, true);
  assert.equal(await succeed(daemon, 'exec', 'stays', 'echo', 'here'), 'here');
});

test('a daemon that is killed amid starts leaves nothing half-made', async () => {
  await using daemon = await startDaemon();
  await succeed(daemon, 'load', '-i', await busyboxArchive());
  // The parent of all control groups stays once it is there.
  await succeed(daemon, 'run', '--rm', 'busybox', 'true');
  const idle = await daemon.idle();
  for (let round = 0; round < 3; round += 1) {
    const runs = Array.from({ length: 8 }, () => daemon.docker(['run', '--rm', 'busybox', 'true']));
    await new Promise((resolve) => setTimeout(resolve, 60 + round * 70));
    await daemon.kill9();
    // Who connects meanwhile waits for the next daemon, and is served by it.
    await daemon.start();
    await Promise.all(runs);
  }
  await daemon.removeContainers();
  assert.equal(await succeed(daemon, 'ps', '-aq'), '');
  // The daemon itself is another process by now.
  const lasting = (leak: string): boolean => leak.startsWith('processes: ') && leak.includes('wharfd.js');
  await assertNoLeaks(idle, { own: (line) => daemon.owns(line), lasting });
});
