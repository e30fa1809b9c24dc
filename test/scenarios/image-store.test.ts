/**
 * Images of several platforms come and go whole, and many images are listed at once.
 * IMAGES: how many images the list has; 100 unless told otherwise.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  answerOf,
  busyboxLayer,
  digestOf,
  LayoutBlobs,
  manyImages,
  ownPlatform,
  publishLayout,
  smallImage,
  startDaemon,
  startRegistry,
  succeed,
  type Daemon,
  type Registry,
  type SmallImage,
} from '../setup/index.ts';
import { ask } from '../parity/wire.ts';

const count = Number(process.env['IMAGES'] ?? 100);
/** Milliseconds, of a thousand images. */
const mayTake = 20;

const foreign = { os: 'linux', architecture: 's390x' };

let daemon: Daemon;
let registry: Registry;

before(async () => {
  registry = await startRegistry();
  daemon = await startDaemon();
});

after(async () => {
  await daemon[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const docker = (...args: readonly string[]): Promise<string> => answerOf(daemon.docker, args);

interface Manifest {
  readonly Kind: string;
  readonly Available: boolean;
  readonly Descriptor: { readonly digest: string };
  readonly ImageData?: { readonly Platform: { readonly architecture: string } };
}

async function busybox(): Promise<SmallImage> {
  const layer = await readFile(await busyboxLayer());
  const { config } = smallImage([[]], { settings: { Cmd: ['sh'], Labels: { own: '1' } } });
  const digest = digestOf(layer);
  const whole = {
    ...(JSON.parse(config.toString()) as object),
    rootfs: { type: 'layers', diff_ids: [digest] },
  };
  return { config: Buffer.from(JSON.stringify(whole)), layers: [layer], platform: ownPlatform };
}

const manifestsOf = async (name: string): Promise<readonly Manifest[]> => {
  const { body } = await daemon.get(`/images/${name}/json?manifests=1`);
  return (JSON.parse(body) as { Manifests: readonly Manifest[] }).Manifests;
};

test('an index is loaded whole, used by platform, saved and taken apart', async () => {
  const other = smallImage([[{ name: 'other', content: 'other\n' }]], { platform: foreign });
  const layout = new LayoutBlobs();
  const index = layout.index([other, await busybox()], { attest: true });
  const archive = join(daemon.folder, 'multi.tar');
  await writeFile(archive, layout.archive([{ target: index, name: 'docker.io/library/multi:1' }]));
  await docker('load', '-i', archive);
  assert.equal(await docker('run', '--rm', 'multi:1', 'echo', 'here'), 'here');
  assert.deepEqual(
    (await manifestsOf('multi:1')).map(({ Kind, Available }) => [Kind, Available]),
    [
      ['image', true],
      ['image', true],
      ['attestation', true],
      ['attestation', true],
    ],
  );
  const shown = ['--platform', 'linux/s390x', '-f', '{{.Architecture}}', 'multi:1'];
  assert.equal(await docker('image', 'inspect', ...shown), 's390x');
  await docker('create', '--platform', 'linux/s390x', 'multi:1', '/other');
  await daemon.removeContainers();

  const all = join(daemon.folder, 'all.tar');
  await docker('save', '-o', all, 'multi:1');
  const listed = await succeed('tar', ['-tf', all]);
  for (const digest of layout.blobs.keys()) assert.ok(listed.includes(digest.slice(7)), digest);
  const one = join(daemon.folder, 'one.tar');
  await docker('save', '--platform', 'linux/s390x', '-o', one, 'multi:1');
  assert.equal((await succeed('tar', ['-tf', one])).includes(index.digest.slice(7)), false);

  await docker('rmi', '--force', '--platform', 'linux/s390x', 'multi:1');
  const [gone, own] = await manifestsOf('multi:1');
  assert.deepEqual([gone?.Available, own?.Available], [false, true]);
  await docker('rmi', 'multi:1');
});

test('an index that was pulled is pushed again with its digest', async () => {
  const other = smallImage([[{ name: 'other', content: 'other\n' }]], { platform: foreign });
  const layout = new LayoutBlobs();
  const index = layout.index([other, await busybox()]);
  await publishLayout(registry.address, 'multi', '1', layout, index);
  const name = `${registry.address}/multi:1`;
  await docker('pull', '-q', name);
  const [foreignOne, ownOne] = await manifestsOf(name);
  assert.deepEqual([foreignOne?.Available, ownOne?.Available], [false, true]);
  const moved = `${registry.address}/moved:1`;
  await docker('tag', name, moved);
  await docker('push', '-q', moved);
  const answer = await fetch(`http://${registry.address}/v2/moved/manifests/1`, {
    headers: { accept: 'application/vnd.oci.image.index.v1+json' },
  });
  assert.equal(answer.headers.get('docker-content-digest'), index.digest);
  await docker('pull', '-q', '--platform', 'linux/s390x', name);
  assert.equal(
    (await manifestsOf(name)).every(({ Available }) => Available),
    true,
  );
  await docker('rmi', '--force', name, moved);
});

/** Milliseconds of the middle one of several requests. */
async function median(path: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 15; n += 1) {
    const begin = performance.now();
    const { status } = await ask(daemon.socket, { method: 'GET', path });
    times.push(performance.now() - begin);
    assert.equal(status, 200);
  }
  return times.sort((a, b) => a - b)[7] ?? 0;
}

test(`${count} images with shared layers are listed at once`, async (t) => {
  const headers = { 'Content-Type': 'application/x-tar' };
  for (let first = 0; first < count; first += 100) {
    const body = manyImages(Math.min(100, count - first), 'many', first);
    const loaded = await ask(daemon.socket, { method: 'POST', path: '/images/load?quiet=1', headers, body });
    assert.equal(loaded.body.toString().includes('error'), false);
  }
  const list = JSON.parse((await daemon.get('/images/json?shared-size=1')).body) as readonly {
    RepoTags: readonly string[];
    SharedSize: number;
    Size: number;
  }[];
  const many = list.filter(({ RepoTags }) => RepoTags.some((name) => name.startsWith('many:')));
  assert.equal(many.length, count);
  // The base of its group, which the other nine have too.
  for (const { SharedSize, Size } of many) assert.ok(SharedSize === 4000 && Size > 4000);
  const limit = mayTake * Math.max(1, count / 1000);
  for (const path of ['/images/json', '/images/json?shared-size=1', '/images/json?all=1&digests=1']) {
    const took = await median(path);
    t.diagnostic(`${path}: ${took.toFixed(1)} ms`);
    assert.ok(took < limit, `${path} took ${took} ms`);
  }
  const begin = performance.now();
  const ids = await answerOf(daemon.wharf, ['image', 'ls', '-q']);
  t.diagnostic(`image ls: ${(performance.now() - begin).toFixed(0)} ms`);
  assert.ok(ids.split('\n').length >= count);
});
