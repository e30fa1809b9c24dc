import assert from 'node:assert/strict';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { tarHeader } from '#archive';
import { digestOf } from '#oci';
import { chunks, dockerArchiveFiles, ociLayoutFiles, tarOf } from './testing/archives.ts';
import { openImageStore, transfer } from './testing/image-store.ts';

const base = await tarOf({ 'etc/name': 'base', 'bin/tool': 'x'.repeat(300_000) });
const top = await tarOf({ 'etc/.wh.name': '', 'etc/other': 'top' });

test('load() takes a docker-archive, plain or compressed, and unpacks its layers', async () => {
  const archive = await tarOf(dockerArchiveFiles([base, top], ['x:1', 'y']));
  for (const bytes of [archive, gzipSync(archive)]) {
    await using store = await openImageStore();
    const { lines, ...options } = transfer();
    await store.images.load(chunks(bytes), options);
    assert.deepEqual(lines.slice(-2), ['Loaded image: x:1', 'Loaded image: y:latest']);
    const image = store.images.get('y');
    assert.deepEqual(image.tags, ['x:1', 'y:latest']);
    assert.ok(image.chainId);
    const [upper, lower] = store.snapshots.mounts(image.chainId).lower;
    assert.ok(upper && lower);
    assert.equal(readFileSync(join(upper, 'etc/other'), 'utf8'), 'top');
    assert.equal(readFileSync(join(lower, 'etc/name'), 'utf8'), 'base');
    assert.ok(lstatSync(join(upper, 'etc/name')).isCharacterDevice());
    assert.deepEqual(await store.leftovers(), []);
    assert.deepEqual(store.events, [`load ${image.id} ${image.id}`]);
  }
});

test('load() takes an OCI layout and keeps its digests', async () => {
  await using store = await openImageStore();
  const { lines, ...options } = transfer();
  const files = ociLayoutFiles([base, top], 'docker.io/library/x:1');
  await store.images.load(chunks(await tarOf(files)), options);
  assert.equal(lines.at(-1), 'Loaded image: x:1');
  const { manifest } = store.images.get('x:1');
  assert.ok(files[`blobs/sha256/${manifest.digest.slice(7)}`]);
  assert.deepEqual(await store.leftovers(), []);
});

test('load() of an archive without names tells the id', async () => {
  await using store = await openImageStore();
  const { lines, ...options } = transfer();
  await store.images.load(chunks(await tarOf(dockerArchiveFiles([base], []))), options);
  assert.equal(lines.at(-1), `Loaded image ID: ${store.images.list()[0]?.id ?? ''}`);
});

test('load() moves a name and says so', async () => {
  await using store = await openImageStore();
  await store.images.load(chunks(await tarOf(dockerArchiveFiles([base], ['x:1']))), transfer());
  const old = store.images.get('x:1').id;
  const { lines, ...options } = transfer();
  await store.images.load(chunks(await tarOf(dockerArchiveFiles([base, top], ['x:1']))), options);
  assert.ok(
    lines.includes(`The image x:1 already exists, renaming the old one with ID ${old} to empty string`),
  );
  assert.deepEqual(store.images.get(old).tags, []);
});

test('load() takes what Docker before 1.10 wrote', async () => {
  await using store = await openImageStore();
  const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
  const archive = await tarOf({
    repositories: JSON.stringify({ old: { '1': b } }),
    [`${a}/json`]: JSON.stringify({
      id: a,
      created: '2015-01-01T00:00:00Z',
      container_config: { Cmd: ['a'] },
    }),
    [`${a}/layer.tar`]: base,
    [`${b}/json`]: JSON.stringify({
      id: b,
      parent: a,
      config: { Cmd: ['sh'] },
      architecture: 'amd64',
      os: 'linux',
    }),
    [`${b}/layer.tar`]: top,
  });
  await store.images.load(chunks(archive), transfer());
  const image = store.images.get('old:1');
  assert.deepEqual(image.config.rootfs.diff_ids, [digestOf(base), digestOf(top)]);
  assert.deepEqual(image.config.config?.Cmd, ['sh']);
});

test('load() follows links between the layers of an archive', async () => {
  await using store = await openImageStore();
  const files = dockerArchiveFiles([base, base], ['x:1']);
  delete files['1/layer.tar'];
  const link = tarHeader({ name: '1/layer.tar', type: 'symlink', linkName: '../0/layer.tar' });
  await store.images.load(chunks(await tarOf(files, [link])), transfer());
  assert.equal(store.images.get('x:1').config.rootfs.diff_ids.length, 2);
});

const whole = await tarOf(dockerArchiveFiles([base, top], ['x:1']));
const layout = ociLayoutFiles([base], 'docker.io/library/x:1');
const lying = Object.entries(layout).map(([name, bytes]): [string, Uint8Array] => [
  name,
  bytes[0] === 0x1f ? gzipSync(top) : bytes,
]);
const outside = await tarOf({}, [tarHeader({ name: '../../outside', size: 0 })]);

const broken: readonly [string, () => Promise<Uint8Array> | Uint8Array, RegExp][] = [
  ['nothing', () => Buffer.alloc(0), /neither manifest\.json nor index\.json|invalid archive|truncated/],
  ['text', () => Buffer.from('hello\n'), /unexpected EOF/],
  ['rubbish', () => Buffer.alloc(100_000, 'rubbish!'), /invalid tar header/],
  ['an archive that ends early', () => whole.subarray(0, 200_000), /unexpected EOF/],
  ['gzip that ends early', () => gzipSync(whole).subarray(0, 700), /gzip data/],
  ['a tar that is no image', () => tarOf({ file: 'x' }), /neither manifest\.json nor index\.json/],
  ['a manifest that is no JSON', () => tarOf({ 'manifest.json': '{' }), /not a JSON document/],
  ['a manifest of the wrong shape', () => tarOf({ 'manifest.json': '[{"Config":1}]' }), /wrong type/],
  [
    'a manifest that names what is not there',
    () => tarOf({ 'manifest.json': '[{"Config":"c","Layers":[]}]' }),
    /there is no c in it/,
  ],
  ['a path that leads outside', () => tarOf({ '../manifest.json': '[]' }), /leads outside/],
  [
    'fewer layers than diffIDs',
    () => tarOf(dockerArchiveFiles([base], ['x:1'], [digestOf(base), digestOf(top)])),
    /layers length mismatch: expected 2, got 1/,
  ],
  [
    'a layer that is not what the configuration says',
    () => tarOf(dockerArchiveFiles([base, top], ['x:1'], [digestOf(base), digestOf(base)])),
    /invalid diffID for layer 1: expected/,
  ],
  ['a bad name', () => tarOf(dockerArchiveFiles([base], ['BAD NAME'])), /invalid reference format/],
  ['a blob that is not what its name says', () => tarOf(Object.fromEntries(lying)), /not what its name says/],
  [
    'an OCI layout without its layer',
    () => tarOf(Object.fromEntries(Object.entries(layout).filter(([, bytes]) => bytes[0] !== 0x1f))),
    /missing from it/,
  ],
  [
    'a layer that ends early',
    () => tarOf(dockerArchiveFiles([base.subarray(0, 5000)], ['x:1'])),
    /truncated|unexpected EOF/,
  ],
  [
    'a layer that is no tar',
    () => tarOf(dockerArchiveFiles([Buffer.alloc(4096, 7)], ['x:1'])),
    /invalid tar header/,
  ],
  ['a layer with ../', () => tarOf(dockerArchiveFiles([outside], ['x:1'])), /./],
];

describe('load() refuses', () => {
  for (const [title, make, pattern] of broken) {
    test(`load() refuses ${title} and leaves nothing`, async () => {
      await using store = await openImageStore();
      const act = store.images.load(chunks(await make()), transfer());
      await assert.rejects(act, { kind: 'invalidArgument', message: pattern });
      assert.deepEqual(store.images.list(), []);
      assert.deepEqual(await store.leftovers(), []);
    });
  }
});

test('load() of a layer that writes through a link stays inside the snapshot', async () => {
  await using store = await openImageStore();
  const target = join(store.root, 'escape');
  const link = await tarOf({}, [tarHeader({ name: 'link', type: 'symlink', linkName: target })]);
  // The first tar without its end goes on with the second.
  const layer = Buffer.concat([link.subarray(0, -1024), await tarOf({ 'link/passwd': 'evil' })]);
  await store.images.load(chunks(await tarOf(dockerArchiveFiles([layer], ['x:1']))), transfer());
  assert.ok(!existsSync(target));
});

test('load() that fails at any step leaves nothing, and goes through afterwards', async () => {
  let calls = 0;
  let failAt = Infinity;
  const log: string[] = [];
  const before = (call: string): void => {
    calls += 1;
    log.push(call);
    if (calls === failAt) throw new Error(`${call} failed`);
  };
  await using store = await openImageStore({ before });
  for (failAt = 1; ; failAt += 1) {
    calls = 0;
    const failed = await store.images.load(chunks(whole), transfer()).then(
      () => false,
      () => true,
    );
    if (!failed) break;
    assert.deepEqual(await store.leftovers(), [], `after call ${failAt}: ${log.at(-1) ?? ''}`);
    assert.deepEqual(store.images.list(), []);
    assert.ok(failAt < 200);
  }
  assert.ok(failAt > 15);
  assert.deepEqual(store.images.get('x:1').tags, ['x:1']);
});

test('load() stops when it is told to and leaves nothing', async () => {
  await using store = await openImageStore();
  const abort = new AbortController();
  async function* slow(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks(whole, 50_000)) {
      yield chunk;
      abort.abort(new Error('enough'));
    }
  }
  await assert.rejects(store.images.load(slow(), transfer(abort.signal)), /enough/);
  assert.deepEqual(await store.leftovers(), []);
});

test('disposing the store stops what is under way and leaves nothing', async () => {
  await using store = await openImageStore();
  const closed = Promise.withResolvers<undefined>();
  async function* slow(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks(whole, 100_000)) {
      yield chunk;
      closed.resolve(undefined);
    }
  }
  const loading = assert.rejects(store.images.load(slow(), transfer()), /shutting down/);
  await closed.promise;
  await store.images[Symbol.asyncDispose]();
  assert.deepEqual(await store.leftovers(), []);
  await loading;
});
