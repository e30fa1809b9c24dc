import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  answerOf,
  busyboxArchive,
  startDaemon,
  command,
  eventually,
  type Daemon,
  fillFolder,
} from '../setup/index.ts';

let daemon: Daemon;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-test-build-'));
  daemon = await startDaemon();
  await answerOf(daemon.docker, ['load', '-i', await busyboxArchive()]);
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const legacy = { DOCKER_BUILDKIT: '0' };

async function context(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(folder, name);
  await fillFolder(root, files);
  return root;
}

async function build(root: string, env: Record<string, string>, ...flags: string[]): Promise<string> {
  const args = env === legacy ? ['build'] : ['buildx', 'build', '--progress', 'plain'];
  const { code, stdout, stderr } = await daemon.docker([...args, ...flags, root], { env });
  assert.equal(code, 0, stderr);
  return stdout + stderr;
}

const imageId = (name: string): Promise<string> =>
  answerOf(daemon.docker, ['image', 'inspect', '-f', '{{.Id}}', name]);

const tutorial = {
  Dockerfile: `FROM busybox AS build
ARG WHO=world
WORKDIR /src
COPY package.json .
RUN echo "installed $(cat package.json) for $WHO" > installed
COPY . .
FROM busybox
COPY --from=build --chown=7:8 --chmod=640 /src /app
USER 1:2
CMD ["cat", "/app/installed"]
`,
  'package.json': 'one',
  'main.js': 'first',
  'skipped/file': 'x',
  '.dockerignore': 'skipped\n',
};

for (const [client, env] of [
  ['the legacy client', legacy],
  ['buildx', {}],
] as const) {
  test(`${client} builds stages, and does again only what has changed`, async () => {
    const root = await context(`tutorial-${client.length}`, tutorial);
    const name = `tutorial-${client.length}`;
    await build(root, env, '-t', name);
    const first = await imageId(name);
    assert.match(await answerOf(daemon.docker, ['run', '--rm', '-u', '0', name]), /^installed one for world/);
    const list = await answerOf(daemon.docker, ['run', '--rm', '-u', '0', name, 'ls', '-lRn', '/app']);
    assert.match(list, /-rw-r----- +1 7 +8 .* main\.js/);
    assert.doesNotMatch(list, /skipped/);
    // Nothing has changed but a time.
    await writeFile(join(root, 'main.js'), tutorial['main.js']);
    await build(root, env, '-t', name);
    assert.equal(await imageId(name), first);
    // A line of the source: the installation is not repeated.
    await writeFile(join(root, 'main.js'), 'second');
    const changed = await build(root, env, '-t', name);
    assert.match(changed, /RUN echo[^\n]*\n(#\d+ CACHED| ---> Using cache)/);
    assert.notEqual(await imageId(name), first);
    // What is installed: it is.
    await writeFile(join(root, 'package.json'), `two for ${client}`);
    const reinstalled = await build(root, env, '-t', name, '--build-arg', 'WHO=me');
    assert.doesNotMatch(reinstalled, /RUN echo[^\n]*\n(#\d+ CACHED| ---> Using cache)/);
    assert.match(
      await answerOf(daemon.docker, ['run', '--rm', '-u', '0', name]),
      /^installed two for .* for me/,
    );
    // A mode counts, too.
    const before = await imageId(name);
    await chmod(join(root, 'main.js'), 0o755);
    await build(root, env, '-t', name, '--build-arg', 'WHO=me');
    // --chmod in the last stage makes the same of it.
    assert.equal(await imageId(name), before);
  });
}

test('the legacy client is told every instruction in the order of the file', async () => {
  const dockerfile = `ARG BASE=busybox
FROM $BASE AS one
ENV a=1
RUN echo told
FROM scratch AS unneeded
COPY --from=one /etc /
FROM one
RUN echo second
CMD ["sh"]
`;
  const root = await context('told', { Dockerfile: dockerfile });
  const told = async (): Promise<readonly string[]> => {
    const lines = (await build(root, legacy, '-t', 'told')).split('\n');
    return lines.slice(lines.findIndex((line) => line.startsWith('Step 1/')));
  };
  const id = /^ ---> [0-9a-f]{12}$/;
  const withoutIds = (lines: readonly string[]): string[] =>
    lines.filter((line) => !id.test(line)).slice(0, 9);
  const steps = [
    ...['Step 1/7 : ARG BASE=busybox', 'Step 2/7 : FROM $BASE AS one', 'Step 3/7 : ENV a=1'],
    ...['Step 4/7 : RUN echo told', 'told', 'Step 5/7 : FROM one', 'Step 6/7 : RUN echo second', 'second'],
    'Step 7/7 : CMD ["sh"]',
  ];
  assert.deepEqual(withoutIds(await told()), steps);
  const cached = steps.map((line) => (/^(?:told|second)$/.test(line) ? ' ---> Using cache' : line));
  assert.deepEqual(withoutIds(await told()), cached);
});

test('a failing command ends the build with its output and exit code, and leaves nothing', async () => {
  const root = await context('failing', { Dockerfile: 'FROM busybox\nRUN echo to be seen; exit 9\n' });
  for (const [args, env] of [
    [['build', root], legacy],
    [['buildx', 'build', '--progress', 'plain', root], {}],
  ] as const) {
    const { code, stdout, stderr } = await daemon.docker(args, { env });
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /to be seen/);
    assert.match(stdout + stderr, /(process|command) .\/bin\/sh -c echo to be seen; exit 9.* code: 9$/m);
  }
  assert.equal(await answerOf(daemon.docker, ['ps', '-aq']), '');
});

test('a mistake in the Dockerfile is shown where it is', async () => {
  const root = await context('mistaken', { Dockerfile: 'FROM busybox\nRUNN true\n' });
  const { code, stderr } = await daemon.docker(['buildx', 'build', root]);
  assert.notEqual(code, 0);
  assert.match(stderr, /Dockerfile:2/);
  assert.match(stderr, />>> RUNN true/);
  assert.match(stderr, /unknown instruction: RUNN \(did you mean RUN\?\)/);
});

test('secrets, caches and binds are there while a command runs, and not in the image', async () => {
  const dockerfile = `FROM busybox AS from
RUN echo bound > /file
FROM busybox
RUN --mount=type=secret,id=token --mount=type=secret,id=token,env=TOKEN test "$(cat /run/secrets/token)" = "$TOKEN"
RUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/scratch echo x >> /cache/uses && touch /scratch/gone
RUN --mount=type=cache,target=/cache --mount=from=from,target=/from,ro cat /cache/uses /from/file > /result
`;
  const root = await context('mounts', { Dockerfile: dockerfile });
  await writeFile(join(folder, 'token'), 's3cret');
  await build(root, {}, '-t', 'mounts', '--secret', `id=token,src=${join(folder, 'token')}`);
  assert.equal(await answerOf(daemon.docker, ['run', '--rm', 'mounts', 'cat', '/result']), 'x\nbound');
  const left = await answerOf(daemon.docker, [
    ...['run', '--rm', 'mounts', 'sh', '-c'],
    'find /cache /scratch /from /run/secrets -type f -size +0',
  ]).catch(() => '');
  assert.equal(left, '');
  const history = await answerOf(daemon.docker, ['history', '--no-trunc', 'mounts']);
  assert.doesNotMatch(history, /s3cret/);
});

test('what was built is known to the next daemon', async () => {
  const root = await context('restart', { Dockerfile: 'FROM busybox\nRUN date +%s%N > /when\n' });
  await build(root, {}, '-t', 'restart');
  const id = await imageId('restart');
  await daemon.restart();
  await build(root, {}, '-t', 'restart');
  assert.equal(await imageId('restart'), id);
  await build(root, {}, '-t', 'restart', '--no-cache');
  assert.notEqual(await imageId('restart'), id);
});

test('a daemon that stops ends its builds', async () => {
  const root = await context('stopped', {
    Dockerfile: 'FROM busybox\nRUN trap "" TERM; echo begun; sleep 98765\n',
  });
  const isRunning = async (): Promise<boolean> => (await command('pgrep', ['-f', 'sleep 98765$'])).code === 0;
  const building = daemon.docker(['buildx', 'build', '--progress', 'plain', root]);
  await eventually(isRunning);
  await daemon.stop();
  assert.notEqual((await building).code, 0);
  assert.equal(await isRunning(), false);
  await daemon.start();
});

test('pruning the cache frees what no image needs, and the next build does everything again', async () => {
  const root = await context('pruned', {
    Dockerfile: 'FROM busybox\nRUN head -c 3000000 /dev/urandom > /large\n',
  });
  await build(root, legacy, '-t', 'pruned');
  const id = await imageId('pruned');
  await answerOf(daemon.docker, ['image', 'rm', 'pruned']);
  const { body } = await daemon.call('POST', '/v1.51/build/prune');
  const { CachesDeleted: removed, SpaceReclaimed: bytes } = JSON.parse(body) as {
    CachesDeleted: string[];
    SpaceReclaimed: number;
  };
  assert.ok(removed.length > 0);
  assert.ok(bytes >= 3_000_000, String(bytes));
  await build(root, legacy, '-t', 'pruned');
  assert.notEqual(await imageId('pruned'), id);
});
