import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import {
  answerOf,
  busyboxArchive,
  dockerArchive,
  eventually,
  freePort,
  smallImage,
  startDaemon,
  wharfProgram,
  type Daemon,
} from '../setup/index.ts';

async function startOwnRegistry(): Promise<AsyncDisposable & { readonly address: string }> {
  const root = await mkdtemp(join(tmpdir(), 'wharf-registry-'));
  const address = `127.0.0.1:${await freePort()}`;
  const args = ['registry', 'serve', '--root', root, '--listen', address];
  const server = spawn('setpriv', ['--pdeathsig', 'TERM', wharfProgram(), ...args], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  await eventually(async () => (await fetch(`http://${address}/v2/`).catch(() => undefined))?.ok);
  return {
    address,
    async [Symbol.asyncDispose]() {
      server.kill('SIGTERM');
      await ended;
      await rm(root, { recursive: true, force: true });
    },
  };
}

const blobPath = ({ dataRoot }: Daemon, digest: string): string =>
  join(dataRoot, 'content/blobs', digest.replace(':', '/'));

/** The digests of an image's manifest, configuration and layers, as the records have them. */
function blobsOf(daemon: Daemon, id: string): { manifest: string; config: string; layers: string[] } {
  using db = new DatabaseSync(join(daemon.dataRoot, 'wharf.db'), { readOnly: true });
  const row = db.prepare('SELECT manifest FROM images WHERE id = ?').get(id);
  const manifest = (JSON.parse(String(row?.['manifest'])) as { digest: string }).digest;
  const document = JSON.parse(readFileSync(blobPath(daemon, manifest), 'utf8')) as {
    config: { digest: string };
    layers: { digest: string }[];
  };
  return { manifest, config: document.config.digest, layers: document.layers.map(({ digest }) => digest) };
}

/** The folder with the files of a layer. */
function filesOf(daemon: Daemon, chainId: string): string {
  using db = new DatabaseSync(join(daemon.dataRoot, 'wharf.db'), { readOnly: true });
  const row = db.prepare('SELECT folder FROM snapshots WHERE key = ?').get(chainId);
  return join(daemon.dataRoot, 'snapshots', String(row?.['folder']), 'fs');
}

function flip(path: string): void {
  const data = readFileSync(path);
  const at = data.length >> 1;
  data[at] = (data[at] ?? 0) ^ 0x10;
  writeFileSync(path, data);
}

interface Verified {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

test('image verify finds every damage on the disk, and --repair mends it', async () => {
  await using registry = await startOwnRegistry();
  await using daemon = await startDaemon();
  const layers = [
    [
      { name: 'bin/', folder: true },
      { name: 'bin/program', content: 'program '.repeat(20_000) },
    ],
    [{ name: 'etc/settings', content: 'settings' }],
  ];
  const image = smallImage(layers, { settings: { Cmd: ['/bin/program'] } });
  const name = `${registry.address}/app:1`;
  const archive = join(daemon.folder, 'archive.tar');
  writeFileSync(archive, dockerArchive([{ image, tags: [name] }]));
  await answerOf(daemon.docker, ['load', '-i', archive]);
  await answerOf(daemon.wharf, ['push', name]);
  await answerOf(daemon.wharf, ['rmi', name]);
  await answerOf(daemon.wharf, ['pull', name]);

  const verify = async (...more: string[]): Promise<Verified> =>
    daemon.wharf(['image', 'verify', ...more, name]);
  const id = (JSON.parse((await daemon.get(`/images/${name}/json`)).body) as { Id: string }).Id;
  const blobs = blobsOf(daemon, id);
  const [base = ''] = image.layers.map(
    (layer) => `sha256:${createHash('sha256').update(layer).digest('hex')}`,
  );
  const whole = await verify();
  assert.deepEqual([whole.code, whole.stdout.trim()], [0, `${name}: whole`], whole.stderr);

  const [one = '', two = ''] = blobs.layers;
  const damages: readonly [title: string, spoil: () => void, tells: RegExp][] = [
    ['a flipped bit of a layer', () => flip(blobPath(daemon, one)), /blob .*: the blob is damaged/],
    ['a layer cut short', () => truncateSync(blobPath(daemon, two), 5), /blob .*: the blob is damaged/],
    ['a missing layer', () => rmSync(blobPath(daemon, one)), /blob .*: the blob is missing/],
    ['a flipped bit of the configuration', () => flip(blobPath(daemon, blobs.config)), /blob .*damaged/],
    ['a missing manifest', () => rmSync(blobPath(daemon, blobs.manifest)), /blob .*missing/],
    [
      'a flipped bit of a file',
      () => flip(join(filesOf(daemon, base), 'bin/program')),
      /layer [^]*\/bin\/program has another time, content/,
    ],
    [
      'a file that nobody unpacked',
      () => writeFileSync(join(filesOf(daemon, base), 'bin/more'), ''),
      /layer [^]*\/bin\/more is not part of the layer/,
    ],
    ['a missing file', () => rmSync(join(filesOf(daemon, base), 'bin/program')), /\/bin\/program is missing/],
    [
      'other permissions',
      () => chmodSync(join(filesOf(daemon, base), 'bin'), 0o777),
      /\/bin has another mode/,
    ],
  ];
  for (const [title, spoil, tells] of damages) {
    spoil();
    const found = await verify();
    assert.equal(found.code, 1, title);
    assert.match(found.stdout, tells, title);
    const repaired = await verify('--repair');
    assert.deepEqual([repaired.code, repaired.stderr], [0, ''], `${title}: ${repaired.stdout}`);
    assert.match(repaired.stdout, /\(repaired\)/, title);
    assert.equal((await verify()).stdout.trim(), `${name}: whole`, title);
  }
  const events = await daemon.get(
    `/events?since=0&until=${Math.ceil(Date.now() / 1000)}&filters={"type":["image"]}`,
  );
  assert.ok(events.body.includes('"Action":"corrupt"') && events.body.includes('"Action":"repair"'));
});

test('a damaged blob is never sent on, and a layer under a running container is left alone', async () => {
  await using registry = await startOwnRegistry();
  await using daemon = await startDaemon();
  await answerOf(daemon.docker, ['load', '-i', await busyboxArchive()]);
  await answerOf(daemon.wharf, ['run', '-d', '--name', 'user', 'busybox', 'sleep', '1000']);
  const { Id, RootFS } = JSON.parse((await daemon.get('/images/busybox/json')).body) as {
    Id: string;
    RootFS: { Layers: string[] };
  };
  const files = filesOf(daemon, RootFS.Layers[0] ?? '');
  writeFileSync(join(files, 'stray'), '');
  const used = await daemon.wharf(['image', 'verify', '--repair', '--all']);
  assert.equal(used.code, 1);
  assert.match(used.stdout, /not repaired: containers run on it: stop [0-9a-f]{12} and try again/);
  await answerOf(daemon.wharf, ['rm', '-f', 'user']);
  const free = await daemon.wharf(['image', 'verify', '--repair', '--all']);
  assert.equal(free.code, 0, free.stdout);
  const shown = await answerOf(daemon.wharf, ['run', '--rm', 'busybox', 'ls', '/']);
  assert.ok(!shown.includes('stray'));

  const [layer = ''] = blobsOf(daemon, Id).layers;
  flip(blobPath(daemon, layer));
  const lost = await daemon.wharf(['image', 'verify', '--repair', 'busybox']);
  assert.match(
    lost.stdout,
    /blob .*damaged[^]*not repaired: no registry has it; load or build the image again/,
  );
  await answerOf(daemon.wharf, ['tag', 'busybox', `${registry.address}/busybox`]);
  const pushed = await daemon.wharf(['push', `${registry.address}/busybox`]);
  assert.notEqual(pushed.code, 0);
  assert.match(pushed.stderr, /damaged/);
  const there = await fetch(`http://${registry.address}/v2/busybox/manifests/latest`);
  assert.equal(there.status, 404);
  const saved = join(daemon.folder, 'saved.tar');
  assert.notEqual((await daemon.wharf(['save', '-o', saved, 'busybox'])).code, 0);
  const archive = await daemon.docker(['load', '-i', await busyboxArchive()]);
  assert.equal(archive.code, 0, archive.stderr);
  execFileSync('rm', ['-f', saved]);
});
