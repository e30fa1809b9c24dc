import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, type Daemon } from '../setup/index.ts';
import { Engine } from './docker-cli/engine.ts';

let engine: Engine;
let daemon: Daemon;
before(async () => {
  engine = await Engine.start();
  assert.ok(engine.daemon, 'needs a daemon of its own');
  daemon = engine.daemon;
});
after(() => engine[Symbol.asyncDispose]());

/** The mounts of a container's root on the host: its own and those of copies. */
async function rootMounts(): Promise<{ path: string; device: string }[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines
    .map((line) => line.split(' '))
    .filter(([, , , , path]) => path?.startsWith(`${daemon.runFolder}/bundles/`) && path.endsWith('/rootfs'))
    .map(([, , device = '', , path = '']) => ({ path, device }));
}

/** Asks for an archive and reads nothing of it yet. */
async function openArchive(container: string, path: string): Promise<IncomingMessage> {
  const sent = request({
    socketPath: daemon.socket,
    path: `/containers/${container}/archive?path=${path}`,
    agent: false,
  });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

async function drain(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

test('a container that is copied from may be started meanwhile: both use one mount', async () => {
  const fill =
    'dd if=/dev/zero of=/big bs=1M count=48 2>/dev/null; test -e /again && exec sleep 1000; touch /again';
  await engine.docker('run', '--name', 'busy', '-v', '/data', 'busybox', 'sh', '-c', fill);
  const response = await openArchive('busy', '/big');
  assert.equal(response.statusCode, 200);
  const [shared, ...others] = await rootMounts();
  assert.ok(shared);
  assert.ok(others.every(({ device }) => device === shared.device));
  await engine.docker('start', 'busy');
  await engine.docker('exec', 'busy', 'sh', '-c', 'echo new >/made');
  const live = await rootMounts();
  assert.ok(
    live.every(({ device }) => device === shared.device),
    JSON.stringify(live),
  );
  // The run ends and begins again, and still there is one mount.
  await engine.docker('restart', '-t', '0', 'busy');
  assert.ok((await rootMounts()).every(({ device }) => device === shared.device));
  assert.ok((await drain(response)).length > 48 * 1024 * 1024);
  await eventually(async () => (await rootMounts()).length === 1);
  assert.equal(await engine.docker('exec', 'busy', 'cat', '/made'), 'new');
  await engine.docker('rm', '-fv', 'busy');
  assert.deepEqual(await rootMounts(), []);
});

test('a container that is copied from may be removed meanwhile', async () => {
  await engine.docker(
    'run',
    '--name',
    'gone',
    'busybox',
    'dd',
    'if=/dev/zero',
    'of=/big',
    'bs=1M',
    'count=48',
  );
  const response = await openArchive('gone', '/big');
  await engine.docker('rm', 'gone');
  response.destroy();
  await eventually(async () => (await rootMounts()).length === 0);
});

test('a link that is swapped while files are copied leads nowhere outside the container', async () => {
  const outside = join(engine.folder, 'outside');
  await mkdir(outside);
  await writeFile(join(outside, 'secret'), 'of the host');
  await mkdir(join(engine.folder, 'tree/deep'), { recursive: true });
  for (let number = 0; number < 20; number += 1)
    await writeFile(join(engine.folder, `tree/deep/${number}`), 'text');
  const swap = (path: string): string =>
    `while :; do mkdir -p ${path}; usleep 5000; rm -rf ${path}; ln -s ${outside} ${path}; rm ${path}; done`;
  const script = `mkdir /into; (${swap('/at')}) 2>/dev/null & (${swap('/into/deep')}) 2>/dev/null`;
  await engine.docker('run', '-d', '--name', 'swapper', 'busybox', 'sh', '-c', script);
  const deadline = Date.now() + 4000;
  let done = 0;
  while (Date.now() < deadline) {
    const results = await Promise.all([
      engine.try(['cp', '-q', join(engine.folder, 'tree/deep/1'), 'swapper:/at/']),
      engine.try(['cp', '-q', join(engine.folder, 'tree/deep'), 'swapper:/into']),
      engine.try(['cp', 'swapper:/at/secret', '-']),
    ]);
    done += results.filter(({ code }) => code === 0).length;
    assert.doesNotMatch(results[2].stdout, /of the host/);
  }
  assert.ok(done > 0, 'no copy ever succeeded');
  assert.deepEqual(await readdir(outside), ['secret']);
  assert.equal(await readFile(join(outside, 'secret'), 'utf8'), 'of the host');
  await engine.docker('rm', '-f', 'swapper');
});

test('volumes of a stopped container are mounted in it, whatever links its root has', async () => {
  const outside = join(engine.folder, 'elsewhere');
  await mkdir(outside);
  // Where the volume is mounted, the root has a link to a path that the host has too.
  await engine.docker('create', '--name', 'linked', '-v', 'cr-data:/at/data:ro', 'busybox');
  await engine.docker(
    'run',
    '--name',
    'maker',
    'busybox',
    'sh',
    '-c',
    `mkdir -p ${outside}; ln -s ${engine.folder} /at`,
  );
  await engine.docker('commit', 'maker', 'cr-linked');
  await engine.docker('create', '--name', 'victim', '-v', 'cr-data:/at/elsewhere', 'cr-linked');
  const file = join(engine.folder, 'file');
  await writeFile(file, 'text');
  await engine.docker('cp', '-q', file, 'victim:/at/elsewhere/file');
  assert.deepEqual(await readdir(outside), []);
  await engine.docker('cp', '-q', 'linked:/at/data/file', join(engine.folder, 'back'));
  assert.equal(await readFile(join(engine.folder, 'back'), 'utf8'), 'text');
  assert.match(
    await engine.fails(1, 'cp', '-q', file, 'linked:/at/data/x'),
    /Read-only file system|read-only/i,
  );
  await engine.docker('rm', 'linked', 'maker', 'victim');
  await engine.docker('volume', 'rm', 'cr-data');
  await engine.docker('rmi', 'cr-linked');
});
