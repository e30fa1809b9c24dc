import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  answerOf,
  arrivingFiles,
  assertNoLeaks,
  busyboxArchive,
  dockerProgram,
  eventually,
  startDaemon,
  succeed,
  type CommandResult,
  type Daemon,
  type HostState,
  fillFolder,
} from '../setup/index.ts';

/** Builds at once, half of them with BuildKit; 50 is the full size. */
const many = Number(process.env['WHARF_BUILD_MANY'] ?? 8);
/** Kills of the daemon at any moment of a build; 30 is the full size. */
const kills = Number(process.env['WHARF_BUILD_KILLS'] ?? 2);

let daemon: Daemon;
let folder: string;
let idle: HostState;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-test-robust-'));
  daemon = await startDaemon();
  await answerOf(daemon.docker, ['load', '-i', await busyboxArchive()]);
  // With the threads that wait for more work.
  await built(build(await context('warm', ['COPY . /all', 'RUN true'])));
  idle = await daemon.idle();
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const legacy = { DOCKER_BUILDKIT: '0' };

type Files = Readonly<Record<string, string | Uint8Array>>;

async function context(name: string, dockerfile: readonly string[], files: Files = {}): Promise<string> {
  const root = join(folder, name);
  const all: Files = { Dockerfile: ['FROM busybox', ...dockerfile, ''].join('\n'), ...files };
  await fillFolder(root, all);
  return root;
}

const plain = ['buildx', 'build', '--progress', 'plain'];

const build = (root: string, ...flags: string[]): Promise<CommandResult> =>
  daemon.docker([...plain, ...flags, root]);

async function built(building: Promise<CommandResult>): Promise<string> {
  const { code, stdout, stderr } = await building;
  assert.equal(code, 0, stdout + stderr);
  return stdout + stderr;
}

/** A client that goes on by itself; what it has written so far can be asked for. */
class Client {
  readonly process: ChildProcess;
  readonly ended: Promise<unknown>;
  output = '';

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.process = spawn(dockerProgram(), args, { env: { ...process.env, ...daemon.env, ...env } });
    const add = (data: Buffer): void => void (this.output += data.toString());
    this.process.stdout?.on('data', add);
    this.process.stderr?.on('data', add);
    this.ended = new Promise((resolve) => void this.process.once('exit', resolve));
  }

  async told(pattern: RegExp): Promise<void> {
    const isTold = (): Promise<boolean> => Promise.resolve(pattern.test(this.output));
    await eventually(isTold, { timeout: 30_000 }).catch((error: unknown) => {
      throw new Error(`the client does not tell ${String(pattern)}:\n${this.output}`, { cause: error });
    });
  }
}

const names = async (path: string): Promise<readonly string[]> => (existsSync(path) ? readdir(path) : []);

/** Nothing of a build is on the disk that is neither cached nor an image's. */
async function assertTidy(): Promise<void> {
  await eventually(async () => (await arrivingFiles(daemon.dataRoot)).length === 0);
  await eventually(async () => (await names(join(daemon.runFolder, 'builds'))).length === 0);
  await eventually(async () => (await names(join(daemon.dataRoot, 'content/ingest'))).length === 0);
  await eventually(async () => (await names(join(daemon.dataRoot, 'snapshots/trash'))).length === 0);
  const { body } = await daemon.get('/system/df');
  const count = (JSON.parse(body) as { readonly Containers: unknown[] | null }).Containers ?? [];
  assert.deepEqual(count, []);
}

const snapshotCount = async (): Promise<number> =>
  (await names(join(daemon.dataRoot, 'snapshots'))).filter((name) => /^\d+$/.test(name)).length;

test('a client that vanishes while it sends its files leaves nothing', async () => {
  const root = await context('vanishing', ['COPY . /all'], { large: randomBytes(80_000_000) });
  for (const env of [{}, legacy]) {
    const client = new Client(['build', root], env);
    await eventually(async () => (await arrivingFiles(daemon.dataRoot)).length > 0, { timeout: 30_000 });
    client.process.kill('SIGKILL');
    await client.ended;
    await assertTidy();
  }
  await daemon.assertIdle(idle);
  await rm(join(root, 'large'));
});

test('a step that fails gives up the others at once, and leaves nothing', async () => {
  const root = await context('siblings', [
    'RUN touch /ready; sleep 600',
    'FROM busybox AS bad',
    'RUN sleep 1; exit 7',
    'FROM scratch',
    'COPY --from=0 /ready /',
    'COPY --from=bad /ready /',
  ]);
  const start = Date.now();
  const { code, stderr } = await build(root, '--no-cache');
  assert.notEqual(code, 0);
  assert.match(stderr, /did not complete successfully: exit code: 7/);
  assert.match(stderr, /CANCELED/);
  assert.ok(Date.now() - start < 20_000);
  await daemon.assertIdle(idle);
  await assertTidy();
});

test('rubbish on the connections of builds harms nobody', async () => {
  const upgrade = (path: string, more = ''): string =>
    `POST ${path} HTTP/1.1\r\nHost: \r\nConnection: Upgrade\r\nUpgrade: h2c\r\n${more}Content-Length: 0\r\n\r\n`;
  const beginnings = [
    upgrade('/grpc'),
    upgrade('/session', 'X-Docker-Expose-Session-Uuid: rubbish\r\n'),
    upgrade('/session'),
    'POST /grpc HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
    upgrade('/grpc').replace('h2c', 'websocket'),
    `${upgrade('/grpc')}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'POST /v1.51/build HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-tar\r\nContent-Length: 4096\r\n\r\n',
  ];
  const talk = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(daemon.socket);
      const timer = setTimeout(() => socket.destroy(), 500);
      socket.on('error', () => undefined);
      socket.on('data', () => undefined);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.write(bytes);
    });
  const rounds = beginnings.flatMap((beginning) =>
    [16, 4096, 200_000].map((size) => talk(Buffer.concat([Buffer.from(beginning), randomBytes(size)]))),
  );
  await Promise.all(rounds);
  assert.equal((await daemon.get('/_ping')).status, 200);
  await built(build(await context('after-rubbish', ['RUN true'])));
  await daemon.assertIdle(idle);
});

test('many builds at once do what they share once', async () => {
  const shared = 'RUN sleep 1; cat /proc/sys/kernel/random/uuid > /id';
  const same = await context('same', [shared, 'CMD ["cat", "/id"]']);
  const builds = Array.from({ length: many }, async (_, n) => {
    const root = n % 2 === 0 ? same : await context(`own${n}`, [shared, `RUN echo ${n} > /own`]);
    const env = n % 4 < 2 ? {} : legacy;
    const args = ['build', '-q', '-t', `many${n}`, root];
    const { code, stdout, stderr } = await daemon.docker(args, { env, timeout: 300_000 });
    assert.equal(code, 0, stdout + stderr);
  });
  await Promise.all(builds);
  const ids = await answerOf(daemon.docker, [
    ...['image', 'inspect', '-f', '{{index .RootFS.Layers 1}}'],
    ...builds.map((_, n) => `many${n}`),
  ]);
  assert.equal(new Set(ids.split('\n')).size, 1, ids);
  await daemon.assertIdle(idle);
  await assertTidy();
});

test('a build whose base is removed and comes again stands on that base, or says that it is not there', async () => {
  // Nobody answers where it could be pulled from.
  const base = '127.0.0.1:1/base';
  await answerOf(daemon.docker, ['tag', 'busybox', base]);
  await answerOf(daemon.docker, ['rmi', 'busybox']);
  await answerOf(daemon.docker, ['save', '-o', join(folder, 'base.tar'), base]);
  const root = await context('removed', []);
  await writeFile(join(root, 'Dockerfile'), `FROM ${base}\nARG N\nCOPY Dockerfile /$N\n`);
  const end = new AbortController();
  const removing = (async () => {
    while (!end.signal.aborted) {
      await daemon.wharf(['rmi', '-f', base]);
      await answerOf(daemon.wharf, ['load', '-q', '-i', join(folder, 'base.tar')]);
    }
  })();
  let done = 0;
  const builder = async (own: number): Promise<void> => {
    for (let n = 0; n < 20; n += 1) {
      const name = `on-base:${own}-${n}`;
      const flags = ['--no-cache', '--build-arg', `N=${own}-${n}`, '-t', name];
      const { code, stderr } = await daemon.wharf(['build', '--progress', 'plain', ...flags, root]);
      if (code !== 0) {
        assert.match(stderr, /failed to resolve source metadata for 127.0.0.1:1/);
        continue;
      }
      done += 1;
      const layers = await answerOf(daemon.wharf, ['inspect', '-f', '{{len .RootFS.Layers}}', name]);
      assert.equal(layers, '2', stderr);
      await answerOf(daemon.wharf, ['rmi', name]);
    }
  };
  try {
    await Promise.all([1, 2, 3].map(builder));
  } finally {
    end.abort();
    await removing;
  }
  assert.ok(done > 0);
  await answerOf(daemon.docker, ['tag', base, 'busybox']);
  await answerOf(daemon.docker, ['rmi', base]);
});

test('a daemon that is killed in any part of a build goes on with what was done', async () => {
  const root = await context(
    'killed',
    [
      'RUN cat /proc/sys/kernel/random/uuid > /first',
      'COPY large /large',
      'RUN echo running; sleep 1; head -c 20000000 /dev/urandom > /random',
      'RUN cat /random /random > /twice; rm /random',
    ],
    { large: randomBytes(40_000_000) },
  );
  const snapshots = await snapshotCount();
  const interrupted = async (when: (client: Client) => Promise<unknown>): Promise<string> => {
    const client = new Client([...plain, '-t', 'killed', root]);
    await when(client);
    await daemon.kill9();
    await client.ended;
    await daemon.start();
    await assertTidy();
    return client.output;
  };
  await interrupted(() =>
    eventually(async () => (await arrivingFiles(daemon.dataRoot)).length > 0, { timeout: 30_000 }),
  );
  const first = await interrupted((client) => client.told(/ running\n/));
  // While the files were sent, it may have been done already.
  assert.match(first, /^(#\d+) \[2\/5\] [^]*\n\1 (DONE|CACHED)/m);
  // What was done before the kill is not done again.
  const second = await interrupted((client) => client.told(/\[4\/5\] RUN/));
  assert.match(second, /^(#\d+) \[2\/5\] [^]*\n\1 CACHED/m);
  assert.match(second, /^(#\d+) \[3\/5\] [^]*\n\1 CACHED/m);
  // Then at any moment: while layers are made, read, synced and recorded.
  for (let n = 0; n < kills; n += 1) {
    const milliseconds = 300 + Math.random() * 3000;
    await interrupted(() => new Promise((resolve) => setTimeout(resolve, milliseconds)));
  }
  const last = await built(build(root, '-t', 'killed'));
  assert.match(last, /^(#\d+) \[2\/5\] [^]*\n\1 CACHED/m);
  assert.match(await answerOf(daemon.docker, ['run', '--rm', 'killed', 'ls', '/twice']), /twice/);
  // The daemon itself is another one.
  await assertNoLeaks(idle, { own: (line) => daemon.owns(line) && !line.includes('wharfd.js') });
  await answerOf(daemon.docker, ['rmi', 'killed']);
  await answerOf(daemon.docker, ['builder', 'prune', '-af']);
  await eventually(async () => (await snapshotCount()) <= snapshots);
});

test('a full disk is told of, and what fits is built afterwards', async () => {
  await using small = await startDaemon();
  await small.stop();
  await succeed('mount', ['-t', 'tmpfs', '-o', 'size=100m', 'small', small.dataRoot]);
  await small.start();
  await answerOf(small.docker, ['load', '-i', await busyboxArchive()]);
  const cases = [
    // The step itself, its layer, the client's files.
    await context('full-step', ['RUN head -c 200000000 /dev/zero > /large']),
    await context('full-layer', ['RUN head -c 60000000 /dev/urandom > /large']),
    await context('full-files', ['COPY . /all'], { large: randomBytes(150_000_000) }),
  ];
  for (const [index, root] of cases.entries()) {
    const env = index === 1 ? legacy : {};
    const { code, stdout, stderr } = await small.docker(['build', root], { env });
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /no space left on device|standard output: I\/O error/i);
    const input = `FROM busybox\nRUN echo fits ${index} > /small\n`;
    const after = await small.docker(['build', '-'], { env, input });
    assert.equal(after.code, 0, after.stderr);
  }
});
