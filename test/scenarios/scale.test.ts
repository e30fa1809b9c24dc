/** Many at once: containers, execs, followers of logs. Times and memory are printed, leaks are errors. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, before, test, type TestContext } from 'node:test';
import {
  busyboxArchive,
  eventually,
  startDaemon,
  succeed,
  type Daemon,
  type HostState,
} from '../setup/index.ts';

let daemon: Daemon;
let idle: HostState;

before(async () => {
  daemon = await startDaemon();
  assert.equal((await daemon.docker(['load', '-q', '-i', await busyboxArchive()])).code, 0);
  assert.equal((await daemon.docker(['network', 'create', 'crowd'])).code, 0);
  // What the first ones open stays: sockets of the supervisor, worker threads, the bridge.
  for (const network of ['none', 'crowd'])
    await daemon.docker(['run', '--rm', '--network', network, 'busybox', 'true']);
  idle = await daemon.idle();
});
after(() => daemon[Symbol.asyncDispose]());

async function post(path: string, body?: unknown): Promise<string> {
  const answer = await daemon.call('POST', path, body);
  assert.ok(answer.status < 300, `${path}: ${answer.status} ${answer.body}`);
  return answer.body;
}

/** Runs `work` for every item, `width` at a time. */
async function inParallel<Item>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const rest = [...items];
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
    }),
  );
}

async function timed<T>(t: TestContext, what: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  t.diagnostic(`${what}: ${Math.round(performance.now() - began)} ms`);
  return result;
}

/** Private memory of a process in MiB: what it alone costs. */
async function memory(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const sum = [...text.matchAll(/^Private_\w+: +(\d+) kB$/gm)].reduce(
    (total, [, kilobytes]) => total + Number(kilobytes),
    0,
  );
  return Math.round(sum / 1024);
}

async function start(name: string, command: readonly string[], network = 'none'): Promise<void> {
  const HostConfig = { NetworkMode: network };
  await post(`/containers/create?name=${name}`, {
    Image: 'busybox',
    Cmd: command,
    HostConfig,
    OpenStdin: true,
  });
  await post(`/containers/${name}/start`);
}

async function execIn(name: string, ...Cmd: string[]): Promise<{ output: string; code: number }> {
  const { Id } = JSON.parse(await post(`/containers/${name}/exec`, { Cmd, AttachStdout: true })) as {
    Id: string;
  };
  const output = await post(`/exec/${Id}/start`, {});
  const { ExitCode } = JSON.parse((await daemon.get(`/exec/${Id}/json`)).body) as { ExitCode: number };
  return { output: output.slice(8), code: ExitCode };
}

async function runningCount(): Promise<number> {
  const listed = JSON.parse((await daemon.get('/containers/json')).body) as readonly {
    Names: string[];
    State: string;
  }[];
  return listed.filter(({ State }) => State === 'running').length;
}

test('200 containers run at once, survive a kill -9 of the daemon, and go', async (t) => {
  const names = Array.from({ length: 200 }, (_, index) => `many${index}`);
  const own = names.slice(0, 30);
  const remember = async (when: string): Promise<void> => {
    const [engine, supervisor] = [await memory(daemon.pid), await memory(await daemon.supervisorPid())];
    t.diagnostic(`${when}: daemon ${engine} MiB, supervisor ${supervisor} MiB`);
  };
  await remember('idle');
  await timed(t, '200 started', () =>
    inParallel(names, 8, (name) => start(name, ['sleep', '1000'], own.includes(name) ? 'crowd' : 'none')),
  );
  await remember('200 running');
  assert.equal(await timed(t, 'listed', runningCount), 200);
  await timed(t, '40 execs', () =>
    inParallel(
      names.filter((_, index) => index % 5 === 0),
      8,
      async (name) => {
        assert.deepEqual(await execIn(name, 'sh', '-c', 'echo in $((20+3)); exit 4'), {
          output: 'in 23\n',
          code: 4,
        });
      },
    ),
  );
  const { output } = await execIn('many0', 'nslookup', '-type=a', 'many29');
  assert.match(output, /Name:\s+many29\n/);
  await daemon.kill9();
  await timed(t, 'adopted', () => daemon.start());
  assert.equal(await runningCount(), 200);
  await inParallel(['many0', 'many100', 'many199'], 3, async (name) => {
    assert.deepEqual(await execIn(name, 'echo', name), { output: `${name}\n`, code: 0 });
  });
  await remember('adopted');
  await timed(t, '200 removed', () =>
    inParallel(names, 8, async (name) => {
      const { status, body } = await daemon.call('DELETE', `/containers/${name}?force=1`);
      assert.equal(status, 204, body);
    }),
  );
  await remember('200 removed');
  assert.equal((await daemon.get('/containers/json?all=1')).body.trim(), '[]');
});

test('200 that are gone left nothing, and a thousand execs leave nothing either', async (t) => {
  // The daemon is another process by now, and sets of rules list their elements in another order.
  const { rules, processes, descriptors } = await daemon.idle();
  const own = (lines: readonly string[]): string[] => lines.filter((line) => daemon.owns(line));
  assert.equal(own(rules).length, own(idle.rules).length, own(rules).join('\n'));
  idle = { ...idle, rules, processes, descriptors };
  await daemon.assertIdle(idle);
  await start('host', ['sleep', '1000']);
  await inParallel(Array.from({ length: 20 }), 4, () => execIn('host', 'true'));
  const running = await daemon.idle();
  const before = await memory(await daemon.supervisorPid());
  await timed(t, '1000 execs', () =>
    inParallel(
      Array.from({ length: 1000 }, (_, index) => index),
      6,
      async (index) =>
        assert.deepEqual(await execIn('host', 'echo', String(index)), { output: `${index}\n`, code: 0 }),
    ),
  );
  const grown = (await memory(await daemon.supervisorPid())) - before;
  t.diagnostic(`the supervisor grew by ${grown} MiB`);
  assert.ok(grown < 40, `the supervisor grew by ${grown} MiB`);
  await daemon.assertIdle(running);
  await daemon.removeContainers();
  await daemon.assertIdle(idle);
});

/** Follows the logs to their end and counts their bytes. */
function followed(name: string, agent: Agent): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const path = `/containers/${name}/logs?follow=1&stdout=1&stderr=1`;
  const sent = request({ socketPath: daemon.socket, path, agent }, (response) => {
    let bytes = 0;
    response.on('data', (chunk: Buffer) => (bytes += chunk.length));
    response.on('end', () => resolve(bytes));
    response.on('error', reject);
  });
  sent.on('error', reject);
  sent.end();
  return promise;
}

test('50 clients follow logs at once, and each gets every line', async (t) => {
  const lines = 2000;
  const script = `read go; i=0; while [ $i -lt ${lines} ]; do echo "line $i of a container that talks"; i=$((i+1)); done`;
  const names = Array.from({ length: 5 }, (_, index) => `talker${index}`);
  await inParallel(names, 5, (name) => start(name, ['sh', '-c', script]));
  const agent = new Agent({ maxSockets: Infinity });
  const counts = Promise.all(
    names.flatMap((name) => Array.from({ length: 10 }, () => followed(name, agent))),
  );
  await timed(t, '50 followers to the end', async () => {
    await inParallel(names, 5, async (name) => {
      const socket = await attach(name, 'stdin=1&stream=1');
      socket.end('go\n');
    });
    const digits = Array.from({ length: lines }, (_, index) => String(index).length).reduce(
      (sum, length) => sum + length,
      0,
    );
    const expected = digits + lines * ('line  of a container that talks\n'.length + 8);
    assert.deepEqual(new Set(await counts), new Set([expected]));
  });
  agent.destroy();
  await daemon.removeContainers();
  await daemon.assertIdle(idle);
});

/** Attaches; resolves once the head of the answer has come. What follows is for the caller to read. */
function attach(name: string, query: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ path: daemon.socket, allowHalfOpen: true });
  socket.on('error', reject);
  socket.once('data', () => {
    socket.pause();
    resolve(socket);
  });
  const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n';
  socket.write(`POST /containers/${name}/attach?${query} HTTP/1.1\r\nHost: engine\r\n${upgrade}`);
  return promise;
}

test('a client that does not read holds up neither the container nor the other clients', async (t) => {
  const megabytes = 16;
  const script = `read go; dd if=/dev/zero bs=64k count=${megabytes * 16} 2>/dev/null | tr '\\0' x; echo; echo over; sleep 1000`;
  await start('flood', ['sh', '-c', script]);
  // It never reads a byte of what follows, and is cut off for the others' sake; with Docker they wait for it.
  const slow = await attach('flood', 'stdout=1&stream=1');
  const quick = await attach('flood', 'stdout=1&stream=1');
  const input = await attach('flood', 'stdin=1&stream=1');
  let bytes = 0;
  let tail = '';
  quick.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    tail = `${tail}${chunk.toString('latin1')}`.slice(-100);
  });
  quick.resume();
  input.write('go\n');
  await timed(t, `${megabytes} MiB beside one that does not read`, () =>
    eventually(() => tail.includes('over\n'), { timeout: 40_000, what: 'the end of the output' }),
  );
  assert.ok(bytes >= megabytes * 2 ** 20, String(bytes));
  const daemonMemory = await memory(daemon.pid);
  t.diagnostic(`daemon ${daemonMemory} MiB, supervisor ${await memory(await daemon.supervisorPid())} MiB`);
  assert.deepEqual(await execIn('flood', 'echo', 'alive'), { output: 'alive\n', code: 0 });
  for (const socket of [slow, quick, input]) socket.destroy();
  await daemon.removeContainers();
  await daemon.assertIdle(idle);
  assert.match(await succeed('ls', ['-d', daemon.dataRoot]), /data$/);
});
