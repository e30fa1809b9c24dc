/** Docker's compose plugin, unmodified: what it builds. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { answerOf, busyboxArchive, startDaemon, type Daemon, fillFolder } from '../setup/index.ts';

let daemon: Daemon;
let folder: string;

const files = {
  'compose.yaml': `name: shop
services:
  web:
    image: shop/web:1
    build:
      context: web
      target: final
      args:
        COLOR: green
      labels:
        made.by: compose
      additional_contexts:
        shared: ./shared
      secrets: [token]
  worker:
    depends_on: [web]
    build:
      dockerfile_inline: |
        FROM busybox
        COPY web/page /page
        CMD ["cat", "/page"]
  plain:
    image: busybox
secrets:
  token:
    file: ./token
`,
  token: 'a secret\n',
  'web/Dockerfile': `FROM busybox AS base
ARG COLOR
RUN --mount=type=secret,id=token test "$(cat /run/secrets/token)" = "a secret" && echo "in $COLOR" > /color
FROM base AS final
COPY --from=shared note /note
COPY page /page
CMD cat /color /note /page
FROM base AS unused
RUN false
`,
  'web/page': 'a page\n',
  'shared/note': 'a note\n',
};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-test-compose-'));
  await fillFolder(folder, files);
  daemon = await startDaemon();
  await answerOf(daemon.docker, ['load', '-i', await busyboxArchive()]);
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const compose = (...args: string[]): Promise<string> =>
  answerOf(daemon.docker, ['compose', '--progress', 'plain', '--project-directory', folder, ...args]);

const run = (image: string): Promise<string> => answerOf(daemon.docker, ['run', '--rm', image]);

test('docker compose build builds all services that say how', async () => {
  await compose('build');
  assert.equal(await run('shop/web:1'), 'in green\na note\na page');
  assert.equal(await run('shop-worker'), 'a page');
  const label = ['image', 'inspect', '-f', '{{index .Config.Labels "made.by"}}', 'shop/web:1'];
  assert.equal(await answerOf(daemon.docker, label), 'compose');
});

test('docker compose build builds again what has changed', async () => {
  await writeFile(join(folder, 'web/page'), 'another page\n');
  await compose('build', '--build-arg', 'COLOR=red', 'web');
  assert.equal(await run('shop/web:1'), 'in red\na note\nanother page');
  assert.equal(await run('shop-worker'), 'a page');
});

test('docker compose build fails with the step that failed', async () => {
  await writeFile(join(folder, 'fail.yaml'), 'services:\n  web:\n    build:\n      target: unused\n');
  const args = [
    'compose',
    '-f',
    join(folder, 'compose.yaml'),
    '-f',
    join(folder, 'fail.yaml'),
    'build',
    'web',
  ];
  const { code, stderr } = await daemon.docker(args);
  assert.notEqual(code, 0);
  assert.match(stderr, /RUN false/);
  assert.match(stderr, /exit code: 1/);
});

test('docker compose run builds what is not there yet', async () => {
  await answerOf(daemon.docker, ['rmi', '-f', 'shop-worker']);
  assert.match(await compose('run', '--rm', '--no-deps', '--build', 'worker'), /another page$/m);
  await compose('down', '-t', '0');
});
