import assert from 'node:assert/strict';
import { kill } from 'node:process';
import { after, before, test } from 'node:test';
import { answerOf, busyboxArchive, eventually, startDaemon, succeed, type Daemon } from '../setup/index.ts';

interface Inspected {
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly Pid: number;
    readonly StartedAt: string;
    readonly FinishedAt: string;
    readonly Health?: { readonly Status: string; readonly FailingStreak: number; readonly Log: unknown[] };
  };
  readonly Wharf?: { readonly Restart?: { readonly Next: string }; readonly AfterUnhealthy?: boolean };
}

interface Event {
  readonly Action: string;
  readonly Actor: { readonly Attributes: Readonly<Record<string, string>> };
  readonly timeNano: number;
}

let daemon: Daemon;

before(async () => {
  daemon = await startDaemon();
  await run('load', '-i', await busyboxArchive());
});

after(async () => daemon[Symbol.asyncDispose]());

function run(...args: string[]): Promise<string> {
  return answerOf(daemon.wharf, args);
}

async function inspect(name: string): Promise<Inspected> {
  const { status, body } = await daemon.get(`/containers/${name}/json`);
  assert.equal(status, 200, body);
  return JSON.parse(body) as Inspected;
}

const summary = async (name: string): Promise<string> => {
  const { State, RestartCount } = await inspect(name);
  return `${State.Status} ${State.ExitCode} ${RestartCount}`;
};

/** The events of a container so far. */
async function eventsOf(name: string): Promise<Event[]> {
  const filters = encodeURIComponent(JSON.stringify({ container: [name] }));
  const until = (Date.now() / 1000).toFixed(3);
  const { body } = await daemon.get(`/events?since=0&until=${until}&filters=${filters}`);
  const lines = body.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Event);
}

test('pauses between restarts double from 100 ms on', async () => {
  await run('run', '-d', '--name', 'loop', '--restart', 'on-failure:4', 'busybox', 'sh', '-c', 'exit 6');
  await eventually(async () => (await summary('loop')) === 'exited 6 4', { timeout: 20_000 });
  const events = await eventsOf('loop');
  const times = (action: string): number[] =>
    events.filter(({ Action }) => Action === action).map(({ timeNano }) => timeNano / 1e6);
  const [starts, deaths] = [times('start'), times('die')];
  assert.equal(starts.length, 5);
  const pauses = starts.slice(1).map((start, index) => start - (deaths[index] ?? 0));
  [100, 200, 400, 800].forEach((expected, index) => {
    const pause = pauses[index] ?? 0;
    assert.ok(pause >= expected - 15 && pause < expected + 700, `pause ${index} took ${pause} ms`);
  });
});

test('a stop between two runs ends the loop, and a start counts anew', async () => {
  const body = 'sleep 0.05; exit 1';
  await run('run', '-d', '--name', 'stopped', '--restart', 'always', 'busybox', 'sh', '-c', body);
  const { Wharf } = await eventually(async () => {
    const seen = await inspect('stopped');
    return seen.RestartCount >= 2 && seen.State.Status === 'restarting' ? seen : undefined;
  });
  assert.ok(Wharf?.Restart?.Next);
  await run('stop', 'stopped');
  assert.equal((await inspect('stopped')).State.Status, 'exited');
  assert.equal((await eventsOf('stopped')).at(-1)?.Action, 'stop');
  await run('start', 'stopped');
  assert.ok((await inspect('stopped')).RestartCount <= 1);
  await run('rm', '-f', 'stopped');
});

test('a policy that is changed on a running container takes effect', async () => {
  await run('run', '-d', '--name', 'updated', 'busybox', 'sleep', '1000');
  await run('update', '--restart', 'always', 'updated');
  kill((await inspect('updated')).State.Pid, 'SIGKILL');
  await eventually(async () => (await summary('updated')) === 'running 0 1');
  await run('rm', '-f', 'updated');
});

/** Name → policy, what is done to it, and how it is after a start of the daemon, as the reference engine has it. */
const boot: readonly (readonly [string, string, 'stop' | 'kill' | 'run', string])[] = [
  ['always-stopped', 'always', 'stop', 'running 0 0'],
  ['always-running', 'always', 'run', 'running 0 0'],
  ['unless-stopped', 'unless-stopped', 'stop', 'exited 137 0'],
  ['unless-killed', 'unless-stopped', 'kill', 'exited 137 0'],
  ['unless-running', 'unless-stopped', 'run', 'running 0 0'],
  ['failure-stopped', 'on-failure', 'stop', 'running 0 0'],
  ['failure-running', 'on-failure', 'run', 'running 0 0'],
  ['no-running', 'no', 'run', 'exited 255 0'],
];

test('what policies ask for is there after the host was down', async () => {
  for (const [name, policy, verb] of boot) {
    await run('run', '-d', '--name', name, '--restart', policy, 'busybox', 'sleep', '1000');
    if (verb !== 'run') await run(...(verb === 'stop' ? ['stop', '-t', '0'] : ['kill']), name);
  }
  await run('create', '--name', 'never-started', '--restart', 'always', 'busybox', 'sleep', '1000');
  const pids = await Promise.all(boot.map(async ([name]) => (await inspect(name)).State.Pid));
  await daemon.kill9();
  kill(await daemon.supervisorPid(), 'SIGKILL');
  for (const pid of pids) if (pid > 0) kill(pid, 'SIGKILL');
  // A host that starts anew has an empty run folder.
  await succeed('find', [daemon.runFolder, '-path', '*/tasks/*.json', '-delete']);
  await daemon.start();
  for (const [name, , , expected] of boot) {
    await eventually(async () => (await summary(name)) === expected, {
      what: `${name} is ${expected}, not ${await summary(name)}`,
    });
  }
  assert.equal(await summary('never-started'), 'created 0 0');
  await daemon.removeContainers();
});

test('a restart that was planned is kept over a kill -9 of the daemon', async () => {
  await run('run', '-d', '--name', 'planned', '--restart', 'always', 'busybox', 'sh', '-c', 'exit 1');
  const planned = await eventually(async () => {
    const seen = await inspect('planned');
    return seen.RestartCount === 4 && seen.State.Status === 'restarting' ? seen : undefined;
  });
  await daemon.kill9();
  await daemon.start();
  const restarted = await eventually(async () => {
    const seen = await inspect('planned');
    return seen.RestartCount > 4 ? seen : undefined;
  });
  const next = Date.parse(planned.Wharf?.Restart?.Next ?? '');
  assert.ok(Date.parse(restarted.State.StartedAt) >= next - 50, 'it was started before its time');
  await run('rm', '-f', 'planned');
});

test('health is kept over a kill -9 of the daemon', async () => {
  const health = ['--health-cmd', 'test -e /well', '--health-interval', '300ms', '--health-retries', '2'];
  await run('run', '-d', '--name', 'ill', ...health, 'busybox', 'sleep', '1000');
  await eventually(async () => (await inspect('ill')).State.Health?.Status === 'unhealthy');
  await daemon.kill9();
  await daemon.start();
  assert.equal((await inspect('ill')).State.Health?.Status, 'unhealthy');
  await run('exec', 'ill', 'touch', '/well');
  await eventually(async () => (await inspect('ill')).State.Health?.Status === 'healthy');
  await run('rm', '-f', 'ill');
});

test('--restart-unhealthy restarts what is unhealthy, with pauses that grow', async () => {
  const health = ['--health-cmd', 'false', '--health-interval', '100ms', '--health-retries', '2'];
  const ends = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.02; done'];
  await run('run', '-d', '--name', 'sick', '--restart-unhealthy', ...health, 'busybox', ...ends);
  const sick = await eventually(
    async () => {
      const seen = await inspect('sick');
      return seen.RestartCount >= 3 && seen.State.Status === 'running' ? seen : undefined;
    },
    { timeout: 20_000 },
  );
  assert.equal(sick.Wharf?.AfterUnhealthy, true);
  assert.match(await run('why', 'sick'), /started anew because it had become unhealthy/);
  const events = await eventsOf('sick');
  const deaths = events.filter(({ Action }) => Action === 'die');
  const starts = events.filter(({ Action }) => Action === 'start').slice(1);
  assert.ok(deaths.length >= 3);
  assert.ok(deaths.every(({ Actor }) => Actor.Attributes['restartCause'] === 'unhealthy'));
  const third = ((starts[2]?.timeNano ?? 0) - (deaths[2]?.timeNano ?? 0)) / 1e6;
  assert.ok(third >= 385, `the third pause took ${third} ms`);
  await run('stop', 'sick');
  assert.equal((await inspect('sick')).State.Status, 'exited');
  await run('rm', 'sick');
});

test('a wait for the end, the next end and the removal', async () => {
  await run('run', '-d', '--name', 'awaited', 'busybox', 'sh', '-c', 'sleep 0.3; exit 9');
  const wait = async (condition: string): Promise<string> => {
    const { body } = await daemon.call('POST', `/containers/awaited/wait?condition=${condition}`);
    return body.trim();
  };
  const removed = assert.rejects(wait('removed'), 'the daemon that was asked is gone');
  const answers = await Promise.all([wait('not-running'), wait('next-exit'), wait('')]);
  assert.deepEqual(answers, ['{"StatusCode":9}', '{"StatusCode":9}', '{"StatusCode":9}']);
  assert.equal(await wait('not-running'), '{"StatusCode":9}');
  await daemon.kill9();
  await daemon.start();
  assert.equal(await wait('not-running'), '{"StatusCode":9}');
  await removed;
  const again = wait('removed');
  await run('rm', 'awaited');
  assert.equal(await again, '{"StatusCode":9}');
});
