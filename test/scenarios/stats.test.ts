import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import {
  answerOf,
  busyboxArchive,
  eventually,
  startDaemon,
  Terminal,
  wharfProgram,
  type Daemon,
} from '../setup/index.ts';

type Json = Readonly<Record<string, unknown>>;
interface Stats extends Json {
  readonly name?: string;
  readonly read: string;
  readonly preread: string;
  readonly cpu_stats: { readonly cpu_usage: { readonly total_usage: number }; readonly online_cpus?: number };
  readonly precpu_stats: Stats['cpu_stats'];
  readonly memory_stats: { readonly limit?: number; readonly stats?: Readonly<Record<string, number>> };
  readonly networks?: Readonly<Record<string, Json>>;
  readonly pids_stats: { readonly current?: number; readonly limit?: number };
}

const zeroTime = '0001-01-01T00:00:00Z';
let daemon: Daemon;

before(async () => {
  daemon = await startDaemon();
  await succeed('load', '-i', await busyboxArchive());
  await succeed(
    'run',
    '-d',
    '--name',
    'busy',
    '-m',
    '64m',
    '--pids-limit',
    '40',
    'busybox',
    'sh',
    '-c',
    'while :; do :; done',
  );
  await succeed('run', '-d', '--name', 'alone', '--network', 'none', 'busybox', 'sleep', '1000');
  await succeed('create', '--name', 'created', 'busybox', 'true');
});
after(() => daemon[Symbol.asyncDispose]());

function succeed(...args: string[]): Promise<string> {
  return answerOf(daemon.docker, args);
}

async function stats(path: string): Promise<Stats> {
  const { status, body } = await daemon.get(path);
  assert.equal(status, 200, body);
  return JSON.parse(body) as Stats;
}

/** Objects of a stream as they come, until `enough`, or its end. */
function stream(path: string, enough: (seen: readonly Stats[]) => boolean): Promise<readonly Stats[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly Stats[]>();
  const seen: Stats[] = [];
  const sent = request({ socketPath: daemon.socket, path, agent: false }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (text + chunk).split('\n');
      text = lines.pop() ?? '';
      seen.push(...lines.map((line) => JSON.parse(line) as Stats));
      if (!enough(seen)) return;
      response.destroy();
      resolve(seen);
    });
    response.on('end', () => resolve(seen));
  });
  sent.on('error', reject).end();
  return promise;
}

test('a single answer compares two samples', async () => {
  const sample = await stats('/v1.51/containers/busy/stats?stream=false');
  assert.equal(sample.name, '/busy');
  assert.ok(sample.read > sample.preread && sample.preread > zeroTime, `${sample.preread} ${sample.read}`);
  const used = sample.cpu_stats.cpu_usage.total_usage - sample.precpu_stats.cpu_usage.total_usage;
  assert.ok(used > 100_000_000, `a busy loop used ${used} ns in a second`);
  assert.equal(sample.memory_stats.limit, 64 * 1024 * 1024);
  assert.ok(Object.keys(sample.memory_stats.stats ?? {}).length > 20);
  assert.deepEqual(Object.keys(sample.networks ?? {}), ['eth0']);
  assert.deepEqual(sample.pids_stats, { current: 1, limit: 40 });
  assert.equal('os_type' in sample, false);
  assert.equal((await stats('/v1.52/containers/busy/stats?stream=false'))['os_type'], 'linux');
});

test('one-shot answers at once, without the name, and is unknown before 1.41', async () => {
  const sample = await stats('/v1.41/containers/busy/stats?stream=false&one-shot=true');
  assert.deepEqual([sample.name, sample.preread], [undefined, zeroTime]);
  assert.equal(sample.precpu_stats.online_cpus, undefined);
  const older = await stats('/v1.40/containers/busy/stats?stream=false&one-shot=true');
  assert.deepEqual([older.name, older.preread > zeroTime], ['/busy', true]);
  const both = await daemon.get('/containers/busy/stats?stream=true&one-shot=true');
  assert.deepEqual(
    [both.status, both.body.trim()],
    [400, '{"message":"cannot have stream=true and one-shot=true"}'],
  );
});

test('without a network of its own there are no interfaces', async () => {
  assert.equal((await stats('/containers/alone/stats?stream=false&one-shot=1')).networks, undefined);
});

test('what does not run has zeros, what does not exist is not found', async () => {
  const idle = await stats('/containers/created/stats?stream=false');
  assert.deepEqual(
    [idle.name, idle.read, idle.pids_stats, idle.memory_stats],
    ['/created', zeroTime, {}, {}],
  );
  assert.equal(idle.cpu_stats.cpu_usage.total_usage, 0);
  const { status, body } = await daemon.get('/containers/nosuch/stats');
  assert.deepEqual([status, body.trim()], [404, '{"message":"No such container: nosuch"}']);
});

test('a stream begins at once, follows over a stop and ends with the removal', async () => {
  await succeed('run', '-d', '--name', 'passing', 'busybox', 'sleep', '1000');
  let stopping: Promise<unknown> | undefined;
  const seen = await stream('/containers/passing/stats', (samples) => {
    if (samples.length === 2) stopping = succeed('stop', '-t', '0', 'passing');
    if (samples.at(-1)?.read === zeroTime) void daemon.call('DELETE', '/containers/passing');
    return false;
  });
  await stopping;
  const [first, second] = seen;
  assert.deepEqual([first?.preread, second?.preread], [zeroTime, first?.read]);
  assert.equal(seen.at(-1)?.read, zeroTime);
});

test('docker stats and wharf stats say the same', async () => {
  const format = '{{.Name}} {{.PIDs}} {{.MemUsage}} {{.NetIO}}';
  for (const client of [daemon.docker, daemon.wharf]) {
    const { stdout, code } = await client(['stats', '--no-stream', '-a', '--format', format]);
    assert.equal(code, 0);
    const lines = stdout.trim().split('\n').toSorted();
    assert.match(lines[0] ?? '', /^alone 1 \S+[KM]iB \/ \S+GiB 0B \/ 0B$/);
    assert.match(lines[1] ?? '', /^busy 1 \S+[KM]iB \/ 64MiB \S+B \/ \S+B$/);
    assert.equal(lines[2], 'created 0 0B / 0B 0B / 0B');
  }
});

test('the live table of wharf stats follows containers as they come and go', async () => {
  await using terminal = new Terminal(wharfProgram(), ['-H', daemon.host, 'stats']);
  await terminal.expect(/CPU %[^]*busy/);
  await succeed('run', '-d', '--name', 'latecomer', 'busybox', 'sleep', '1000');
  await terminal.expect(/latecomer/);
  await succeed('rm', '-f', 'latecomer');
  await eventually(async () => {
    const pictures = terminal.output.split('\u001b[H');
    return Promise.resolve(!(pictures.at(-2) ?? 'latecomer').includes('latecomer'));
  });
  terminal.type('\x03');
});
