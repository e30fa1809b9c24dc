import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readTar } from '#archive';
import { unmount } from '#linux';
import { digestOf, mediaTypes, parseManifest } from '#oci';
import { createRegistryClient } from '#registry/client';
import { chunks, dockerArchiveFiles, ociLayoutFiles, publish, tarOf } from './testing/archives.ts';
import { openImageStore, transfer, type ImageStoreBench } from './testing/image-store.ts';

const base = await tarOf({ 'etc/name': 'base', 'bin/tool': 'x'.repeat(300_000) });
const top = await tarOf({ 'etc/other': 'top' });
const signal = new AbortController().signal;

/** A container's snapshot on an image, changed by `change` while it is mounted. */
async function runContainer(
  store: ImageStoreBench,
  image: string,
  id: string,
  change: (root: string) => void,
): Promise<void> {
  await store.snapshots.prepare(id, store.images.get(image).chainId);
  const target = join(store.root, `mnt-${id}`);
  mkdirSync(target);
  store.snapshots.mount(id, target);
  try {
    change(target);
  } finally {
    unmount(target, { lazy: true });
  }
}

async function loadBase(store: ImageStoreBench): Promise<void> {
  await store.images.load(chunks(await tarOf(dockerArchiveFiles([base, top], ['x:1']))), transfer());
}

test('commit() makes an image of what a container changed', async () => {
  await using store = await openImageStore();
  await loadBase(store);
  await runContainer(store, 'x:1', 'c1', (root) => {
    writeFileSync(join(root, 'etc/new'), 'new');
    unlinkSync(join(root, 'etc/name'));
  });
  const parent = store.images.get('x:1');
  const id = await store.images.commit(
    {
      containerId: 'c1',
      parent: parent.id,
      config: { Cmd: ['run'] },
      history: { created_by: 'sh', comment: 'why' },
      author: 'me',
      reference: 'y:2',
    },
    { signal },
  );
  const image = store.images.get('y:2');
  assert.equal(image.id, id);
  assert.deepEqual(image.config.config, { Cmd: ['run'] });
  assert.equal(image.config.author, 'me');
  assert.equal(image.config.rootfs.diff_ids.length, 3);
  assert.deepEqual(
    store.images.history('y:2').map(({ created_by: by, size, id: step }) => [by, size, step === id]),
    [
      ['sh', 3, true],
      ['step 1', 3, false],
      ['step 0', 300_004, false],
    ],
  );
  const [upper] = store.snapshots.mounts(image.chainId ?? '').lower;
  assert.ok(upper);
  assert.equal(readFileSync(join(upper, 'etc/new'), 'utf8'), 'new');
  assert.ok(lstatSync(join(upper, 'etc/name')).isCharacterDevice());
  assert.deepEqual(store.events.slice(1), [`create ${id} ${id}`, `tag ${id} y:2`]);
  await store.snapshots.remove('c1');
  assert.deepEqual(await store.leftovers(), []);
});

test('load(), commit() and push() work where layers are full copies', async () => {
  await using store = await openImageStore({ copies: true });
  await loadBase(store);
  await runContainer(store, 'x:1', 'c1', (root) => unlinkSync(join(root, 'etc/name')));
  const parent = store.images.get('x:1').id;
  const spec = { containerId: 'c1', parent, config: {}, history: { created_by: 'sh' } };
  await store.images.commit({ ...spec, reference: 'h.test/y:1' }, { signal });
  const { chainId } = store.images.get('h.test/y:1');
  const [root] = store.snapshots.mounts(chainId ?? '').lower;
  assert.ok(root);
  assert.ok(!existsSync(join(root, 'etc/name')));
  assert.equal(readFileSync(join(root, 'etc/other'), 'utf8'), 'top');
  await store.images.push('h.test/y:1', transfer());
  await store.snapshots.remove('c1');
  assert.deepEqual(await store.leftovers(), []);
});

test('commit() of a container without changes adds no layer', async () => {
  await using store = await openImageStore();
  await loadBase(store);
  const parent = store.images.get('x:1');
  await store.snapshots.prepare('c1', parent.chainId);
  const spec = { containerId: 'c1', parent: parent.id, config: {}, history: { created_by: 'sh' } };
  await store.images.commit({ ...spec, reference: 'y' }, { signal });
  const { config } = store.images.get('y');
  assert.deepEqual(config.rootfs.diff_ids, parent.config.rootfs.diff_ids);
  assert.equal(config.history?.at(-1)?.empty_layer, true);
});

test('commit() of an image that is gone says so', async () => {
  await using store = await openImageStore();
  const parent = digestOf('gone');
  const spec = { containerId: 'c1', parent, config: {}, history: {} };
  await assert.rejects(store.images.commit(spec, { signal }), {
    kind: 'notFound',
    message: `No such image: ${parent}`,
  });
});

test('import() makes an image of a root file system, compressed or not', async () => {
  await using store = await openImageStore();
  for (const bytes of [base, gzipSync(base)]) {
    const options = { ...transfer(), reference: 'x:1', message: 'mine', config: { Cmd: ['sh'] } };
    const id = await store.images.import(chunks(bytes), options);
    const image = store.images.get('x:1');
    assert.equal(image.id, id);
    assert.deepEqual(image.config.rootfs.diff_ids, [digestOf(base)]);
    assert.equal(image.config.history?.[0]?.comment, 'mine');
    await store.images.remove(id, { force: true, prune: true });
  }
  assert.deepEqual(await store.leftovers(), []);
});

test('import() of rubbish or under a bad name leaves nothing', async () => {
  await using store = await openImageStore();
  const bad = [
    [Buffer.alloc(5000, 'rubbish!'), 'x:1', /invalid tar header/],
    [base.subarray(0, 10_000), 'x:1', /unexpected EOF/],
    [base, 'BAD', /must be lowercase/],
  ] as const;
  for (const [bytes, reference, message] of bad) {
    const act = store.images.import(chunks(bytes), { ...transfer(), reference });
    await assert.rejects(act, { kind: 'invalidArgument', message });
  }
  assert.deepEqual(store.images.list(), []);
  assert.deepEqual(await store.leftovers(), []);
});

test('save() writes what load() takes, with the same digests', async () => {
  await using store = await openImageStore();
  await loadBase(store);
  await store.images.load(chunks(await tarOf(ociLayoutFiles([top], 'docker.io/library/z:1'))), transfer());
  store.images.tag('x:1', 'x:2');
  const [x, z] = [store.images.get('x:1'), store.images.get('z:1')];
  const saved = Buffer.concat(
    await Array.fromAsync((await store.images.save(['x', 'z:1'], { signal })) as AsyncIterable<Uint8Array>),
  );
  const names: string[] = [];
  for await (const { header } of readTar(chunks(saved))) names.push(header.name);
  for (const name of ['oci-layout', 'index.json', 'manifest.json', 'repositories'])
    assert.ok(names.includes(name), name);
  await using other = await openImageStore();
  const { lines, ...options } = transfer();
  await other.images.load(chunks(saved), options);
  assert.deepEqual(
    lines.filter((line) => line.startsWith('Loaded')),
    ['Loaded image: x:1', 'Loaded image: x:2', 'Loaded image: z:1'],
  );
  assert.equal(other.images.get('x:2').manifest.digest, x.manifest.digest);
  assert.equal(other.images.get('z:1').manifest.digest, z.manifest.digest);
  assert.deepEqual(await other.leftovers(), []);
  await assert.rejects(store.images.save(['x', 'nope'], { signal }), { message: 'No such image: nope' });
  const unread = await store.images.save([z.id], { signal });
  unread.destroy();
  await store.images.remove('z:1', { force: false, prune: true });
  await eventually(async () => assert.deepEqual(await store.leftovers(), []));
});

async function eventually(check: () => Promise<void>): Promise<void> {
  for (const deadline = Date.now() + 5000; ;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise(setImmediate);
    }
  }
}

test('push() compresses plain layers once, keeps them so, and mounts what the registry has', async () => {
  await using store = await openImageStore();
  await loadBase(store);
  store.images.tag('x:1', 'h.test/x:1');
  const first = transfer();
  await store.images.push('h.test/x:1', first);
  const image = store.images.get('x:1');
  const { layers } = parseManifest(await store.content.read(image.manifest.digest));
  assert.deepEqual([...new Set(layers.map(({ mediaType }) => mediaType))], [mediaTypes.dockerLayerGzip]);
  assert.deepEqual(image.digests, [`h.test/x@${image.manifest.digest}`]);
  assert.deepEqual(
    first.lines.at(-1),
    JSON.stringify({ Tag: '1', Digest: image.manifest.digest, Size: image.manifest.size }),
  );
  assert.deepEqual(await store.leftovers(), []);

  const again = transfer();
  await store.images.push('h.test/x', again);
  assert.equal(again.lines.filter((line) => line.endsWith('Layer already exists')).length, 2);

  store.images.tag('x:1', 'h.test/y:1');
  const other = transfer();
  await store.images.push('h.test/y:1', other);
  assert.equal(other.lines.filter((line) => line.endsWith('Mounted from x')).length, 2);
  assert.deepEqual(store.events.slice(-1), ['push h.test/y:1 h.test/y']);
});

test('push() tells what is not there', async () => {
  await using store = await openImageStore();
  await assert.rejects(store.images.push('h.test/x:1', transfer()), {
    message: 'An image does not exist locally with the tag: h.test/x',
  });
  await loadBase(store);
  await assert.rejects(store.images.push('x:2', transfer()), { message: 'tag does not exist: x:2' });
});

test('push() of an image of several platforms sends the index, and copies what is not here', async () => {
  await using store = await openImageStore();
  const { registry, images } = store;
  const amd = publish(registry, 'library/x', [base], { tags: [], seed: 'amd64' });
  const arm = publish(registry, 'library/x', [top], { tags: [], seed: 'arm64' });
  const manifests = [
    { ...amd, platform: { os: 'linux', architecture: 'amd64' } },
    { ...arm, platform: { os: 'linux', architecture: 'arm64' } },
  ];
  const index = registry.putManifest('library/x', mediaTypes.ociIndex, { schemaVersion: 2, manifests }, '1');
  await images.pull('x:1', transfer());
  images.tag('x:1', 'h.test/y:1');
  registry.unreachable = true;
  const half = transfer();
  await images.push('h.test/y:1', half);
  assert.ok(half.lines.some((line) => line.includes(`digest: ${amd.digest}`)));
  const told = { manifestPushedInsteadOfIndex: true, originalIndex: index, selectedManifest: amd };
  assert.deepEqual(half.events.find(({ aux }) => aux && 'originalIndex' in aux)?.aux, told);
  registry.unreachable = false;
  const whole = transfer();
  await images.push('h.test/y:1', whole);
  assert.ok(whole.lines.some((line) => line.includes(`digest: ${index.digest}`)));
  const { signal } = transfer();
  const copied = await registry.repository('h.test/y').fetchManifest(arm.digest, { signal });
  assert.equal(copied.descriptor.digest, arm.digest);
  assert.deepEqual(
    images.list().map(({ manifest }) => manifest.digest),
    [amd.digest],
  );
  const single = transfer();
  await images.push('h.test/y:1', { ...single, platform: { os: 'linux', architecture: 'amd64' } });
  assert.ok(single.lines.some((line) => line.includes(`digest: ${amd.digest}`)));
  await assert.rejects(
    images.push('h.test/y:1', { ...transfer(), platform: { os: 'linux', architecture: 's390x' } }),
    /does not match the specified platform/,
  );
});

test('push() of one image twice at once sends each blob once', async () => {
  await using store = await openImageStore();
  const { registry, images } = store;
  publish(registry, 'library/x', [base, top], { tags: ['1'] });
  await images.pull('x:1', transfer());
  images.tag('x:1', 'h.test/y:1');
  images.tag('x:1', 'h.test/y:2');
  const both = [transfer(), transfer()] as const;
  await Promise.all([images.push('h.test/y:1', both[0]), images.push('h.test/y:2', both[1])]);
  const sent = registry.requests.filter((line) => line.startsWith('push '));
  assert.equal(new Set(sent).size, sent.length, sent.join('\n'));
  for (const { lines } of both)
    assert.ok(lines.some((line) => / (?:Pushed|Layer already exists|Mounted from .*)$/.test(line)));
});

test('start() takes up what was there, drops what is no longer whole, and removes what nothing needs', async () => {
  await using store = await openImageStore();
  await loadBase(store);
  await store.images.ensureHelloWorld();
  await store.images.load(
    chunks(await tarOf(ociLayoutFiles([base, base], 'docker.io/library/z:1'))),
    transfer(),
  );
  const before = store.images.list();
  assert.deepEqual((await store.reopen()).list(), before);
  assert.deepEqual(store.warnings, []);

  const hello = store.images.get('hello-world');
  await store.content.remove(hello.id);
  const [, second] = parseManifest(await store.content.read(store.images.get('z:1').manifest.digest)).layers;
  assert.ok(second);
  await store.snapshots.remove(store.images.get('z:1').chainId ?? '');
  await store.content.put(Buffer.from('left over'));
  await store.snapshots.prepare('unpack-left', undefined);
  await store.snapshots.prepare('container', store.images.get('x:1').chainId);
  const images = await store.reopen();
  assert.deepEqual(
    images.list().map(({ tags }) => tags),
    [['x:1']],
  );
  assert.equal(store.warnings.length, 2);
  assert.deepEqual(await store.leftovers(), ['snapshot container']);
});

test('collectGarbage() spares what a container stands on until it is gone', async () => {
  await using store = await openImageStore({ users: () => [{ containerId: 'c1', running: false }] });
  await loadBase(store);
  const image = store.images.get('x:1');
  await store.snapshots.prepare('c1', image.chainId);
  await store.images.remove('x:1', { force: true, prune: true });
  await store.images.collectGarbage();
  assert.ok(store.snapshots.find(image.chainId ?? ''));
  await store.snapshots.remove('c1');
  await store.images.collectGarbage();
  assert.deepEqual(await store.leftovers(), []);
});

test('collectGarbage() during loads and pulls takes nothing away from them', async () => {
  await using store = await openImageStore();
  publish(store.registry, 'library/p', [base, top], { tags: ['1'] });
  let busy = true;
  const sweeping = (async () => {
    while (busy) {
      await store.images.collectGarbage();
      await new Promise(setImmediate);
    }
  })();
  await Promise.all([
    loadBase(store),
    store.images.pull('p:1', transfer()),
    store.images.ensureHelloWorld(),
    store.images.import(chunks(gzipSync(top)), { ...transfer(), reference: 'i:1' }),
  ]);
  busy = false;
  await sweeping;
  const images = await store.reopen();
  assert.deepEqual(
    images
      .list()
      .flatMap(({ tags }) => tags)
      .sort(),
    ['hello-world:latest', 'i:1', 'p:1', 'x:1'],
  );
  assert.deepEqual(store.warnings, []);
  assert.deepEqual(await store.leftovers(), []);
});

const registryProgram = ['/usr/bin/docker-registry', process.env.WHARF_TEST_REGISTRY ?? ''].find(
  (path) => path !== '' && existsSync(path),
);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

test('push() and pull() against a real registry', { skip: registryProgram === undefined }, async () => {
  const port = await freePort();
  await using client = createRegistryClient({ mirrors: [], insecureRegistries: [], userAgent: 'wharf-test' });
  await using store = await openImageStore({ registry: client });
  const configuration = join(store.root, 'registry.yml');
  writeFileSync(
    configuration,
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${store.root}/registry}}\nhttp: {addr: 127.0.0.1:${port}}\n`,
  );
  const server = spawn(registryProgram ?? '', ['serve', configuration], { stdio: 'ignore' });
  try {
    await eventually(async () => {
      assert.equal((await fetch(`http://127.0.0.1:${port}/v2/`)).status, 200);
    });
    await loadBase(store);
    const name = `127.0.0.1:${port}/team/x`;
    store.images.tag('x:1', `${name}:1`);
    await store.images.push(`${name}:1`, transfer());
    const { id, manifest } = store.images.get('x:1');
    store.images.tag('x:1', `127.0.0.1:${port}/other:1`);
    const mounted = transfer();
    await store.images.push(`127.0.0.1:${port}/other:1`, mounted);
    assert.equal(mounted.lines.filter((line) => line.endsWith('Mounted from team/x')).length, 2);
    await store.images.remove(id, { force: true, prune: true });
    assert.deepEqual(await store.leftovers(), []);
    const pulled = transfer();
    await store.images.pull(`${name}:1`, pulled);
    assert.equal(pulled.lines.at(-1), `Status: Downloaded newer image for ${name}:1`);
    assert.equal(store.images.get(`${name}:1`).id, id);
    assert.equal(store.images.get(`${name}:1`).manifest.digest, manifest.digest);
    await assert.rejects(store.images.pull(`${name}:nope`, transfer()), {
      kind: 'notFound',
      message: /^manifest for 127\.0\.0\.1:\d+\/team\/x:nope not found: manifest unknown: manifest unknown$/,
    });
    assert.deepEqual(await store.leftovers(), []);
  } finally {
    server.kill('SIGKILL');
  }
});
