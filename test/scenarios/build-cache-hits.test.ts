import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { answerOf, busyboxArchive, startDaemon, type Daemon } from '../setup/index.ts';

/** What counts for the layer cache, seen by the unmodified client: which steps run again after which change. */

let daemon: Daemon;
let folder: string;

const dockerfile =
  'FROM base\nRUN echo first\nARG WHO=nobody\nCOPY src /src\nRUN ls /src > /list\nCOPY one /one\n';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-test-hits-'));
  daemon = await startDaemon();
  await answerOf(daemon.docker, ['load', '-i', await busyboxArchive()]);
  await answerOf(daemon.docker, ['tag', 'busybox', 'base']);
  await mkdir(join(folder, 'src/sub'), { recursive: true });
  const files = {
    Dockerfile: dockerfile,
    'src/file': 'text',
    'src/sub/other': 'other',
    'src/noise': 'noise',
    one: '1',
    outside: 'x',
  };
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text);
  await symlink('file', join(folder, 'src/link'));
  await build();
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Builds; answers the numbers of the steps that were done, from 2 on: the first is FROM. */
async function build(...flags: string[]): Promise<string> {
  const args = ['buildx', 'build', '--progress', 'plain', '-t', 'hits', ...flags, folder];
  const { code, stderr } = await daemon.docker(args);
  assert.equal(code, 0, stderr);
  const steps = [...stderr.matchAll(/^(#\d+) \[(\d+)\/\d+\] (?!FROM)/gm)];
  const done = steps.filter(([, id]) => !new RegExp(`^${String(id)} CACHED$`, 'm').test(stderr));
  return [...new Set(done.map(([, , number]) => number))].sort().join('');
}

const source = (name: string): string => join(folder, 'src', name);

/** 2 is the command before everything, 3 COPY src, 4 the command after it, 5 COPY one. */
const changes: readonly (readonly [name: string, done: string, change: () => Promise<unknown>])[] = [
  ['nothing', '', () => Promise.resolve()],
  ['times only', '', () => utimes(source('file'), 1, 1)],
  ['the same text written again', '', () => writeFile(source('file'), 'text')],
  ['a file that no step takes', '', () => writeFile(join(folder, 'outside'), 'y')],
  ['a mode', '345', () => chmod(source('file'), 0o755)],
  // BuildKit 0.25 overlooks this one.
  ['the mode of a folder', '345', () => chmod(source('sub'), 0o700)],
  ['a name', '345', () => rename(source('noise'), source('renamed'))],
  ['the target of a link', '345', () => unlink(source('link')).then(() => symlink('sub', source('link')))],
  [
    'a file in place of a link',
    '345',
    () => unlink(source('link')).then(() => writeFile(source('link'), '')),
  ],
  ['text of a file below', '345', () => writeFile(source('sub/other'), 'changed')],
  ['a new empty folder', '345', () => mkdir(source('empty'))],
  ['a file of a later step', '5', () => writeFile(join(folder, 'one'), '2')],
  [
    '.dockerignore, of nothing that is there',
    '',
    () => writeFile(join(folder, '.dockerignore'), 'nothing\n'),
  ],
  ['.dockerignore, of a file', '345', () => writeFile(join(folder, '.dockerignore'), 'src/renamed\n')],
  ['a file that is ignored', '', () => writeFile(source('renamed'), 'changed')],
  ['a comment', '', () => writeFile(join(folder, 'Dockerfile'), '# new\n' + dockerfile)],
];

test('steps are done again when what they take has changed, and only then', async () => {
  const seen = [];
  for (const [name, , change] of changes) {
    await change();
    seen.push([name, await build()]);
    // What was done is known from then on.
    assert.equal(await build(), '', name);
  }
  assert.deepEqual(
    seen,
    changes.map(([name, done]) => [name, done]),
  );
});

test('a build argument counts from the step on that may see it, and an old value is known again', async () => {
  assert.equal(await build('--build-arg', 'WHO=me'), '45');
  assert.equal(await build('--build-arg', 'WHO=me'), '');
  assert.equal(await build('--build-arg', 'WHO=nobody'), '');
  assert.equal(await build('--build-arg', 'HTTP_PROXY=http://proxy:1'), '');
});

test('a base image that has changed is built on anew, and the old one is known when it comes back', async () => {
  await writeFile(join(folder, 'base.Dockerfile'), 'FROM busybox\nRUN echo new > /base\n');
  await answerOf(daemon.docker, ['build', '-t', 'newer', '-f', join(folder, 'base.Dockerfile'), folder]);
  await answerOf(daemon.docker, ['tag', 'newer', 'base']);
  assert.equal(await build(), '2345');
  await answerOf(daemon.docker, ['tag', 'busybox', 'base']);
  assert.equal(await build(), '');
});

test('what was built is known after restarts and kills of the daemon, and without the image', async () => {
  await daemon.restart();
  assert.equal(await build(), '');
  await daemon.kill9();
  await daemon.start();
  assert.equal(await build(), '');
  await answerOf(daemon.docker, ['rmi', '-f', 'hits']);
  assert.equal(await build(), '');
  assert.equal(await build('--no-cache'), '2345');
});
