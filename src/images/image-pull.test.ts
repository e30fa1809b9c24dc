import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { shortId, unavailable } from '#kernel';
import { digestOf, mediaTypes } from '#oci';
import { publish, tarOf } from './testing/archives.ts';
import { openImageStore, transfer } from './testing/image-store.ts';

const base = await tarOf({ 'etc/name': 'base', 'bin/tool': randomBytes(400_000) });
const top = await tarOf({ 'etc/other': 'top' });

test("pull() brings an image in, with Docker's lines in Docker's order", async () => {
  await using store = await openImageStore();
  const manifest = publish(store.registry, 'library/x', [base, top], { tags: ['1'] });
  const { lines, ...options } = transfer();
  await store.images.pull('x:1', options);
  assert.equal(lines[0], '1 Pulling from library/x');
  assert.deepEqual(lines.slice(-2), [`Digest: ${manifest.digest}`, 'Status: Downloaded newer image for x:1']);
  const ids = [
    ...new Set(lines.filter((line) => line.endsWith('Pulling fs layer')).map((line) => line.slice(0, 12))),
  ];
  assert.equal(ids.length, 2);
  for (const id of ids) {
    const statuses = lines.filter((line) => line.startsWith(id)).map((line) => line.slice(13));
    assert.deepEqual(
      [...new Set(statuses)],
      [
        'Pulling fs layer',
        'Downloading',
        'Verifying Checksum',
        'Download complete',
        'Extracting',
        'Pull complete',
      ],
    );
  }
  const image = store.images.get('x:1');
  assert.deepEqual(image.digests, [`x@${manifest.digest}`]);
  assert.ok(image.chainId);
  const [upper] = store.snapshots.mounts(image.chainId).lower;
  assert.equal(readFileSync(join(upper ?? '', 'etc/other'), 'utf8'), 'top');
  assert.deepEqual(store.events, ['pull x:1 x']);
  assert.deepEqual(await store.leftovers(), []);

  const again = transfer();
  await store.images.pull('x:1', again);
  assert.deepEqual(again.lines, [
    '1 Pulling from library/x',
    `Digest: ${manifest.digest}`,
    'Status: Image is up to date for x:1',
  ]);
});

test('pull() takes layers that are here already from here', async () => {
  await using store = await openImageStore();
  publish(store.registry, 'library/x', [base], { tags: ['latest'] });
  publish(store.registry, 'library/y', [base, top], { tags: ['latest'] });
  await store.images.pull('x', transfer());
  const { lines, ...options } = transfer();
  await store.images.pull('y', options);
  assert.equal(lines.filter((line) => line.endsWith('Already exists')).length, 1);
  assert.equal(lines.filter((line) => line.endsWith('Pull complete')).length, 1);
  assert.equal(store.registry.requests.filter((line) => line.startsWith('fetch library/y')).length, 2);
});

test('pull() chooses from an index by platform, and tells when none suits', async () => {
  await using store = await openImageStore();
  const { registry } = store;
  const amd = publish(registry, 'library/x', [base], { tags: [], seed: 'amd64' });
  const arm = publish(registry, 'library/x', [top], { tags: [], seed: 'arm64' });
  const manifests = [
    { ...arm, platform: { os: 'linux', architecture: 'arm64' } },
    { ...amd, platform: { os: 'linux', architecture: 'amd64' } },
    { ...arm, platform: { os: 'unknown', architecture: 'unknown' } },
  ];
  const index = registry.putManifest(
    'library/x',
    mediaTypes.ociIndex,
    { schemaVersion: 2, manifests },
    'latest',
  );
  const { lines, ...options } = transfer();
  await store.images.pull('x', options);
  assert.ok(lines.includes(`Digest: ${index.digest}`));
  assert.equal(store.images.get('x').manifest.digest, amd.digest);
  assert.equal(store.images.get('x').target.digest, index.digest);
  await store.images.pull('x', { ...transfer(), platform: { os: 'linux', architecture: 'arm64' } });
  assert.equal(store.images.get('x').manifest.digest, arm.digest);
  const other = { ...transfer(), platform: { os: 'linux', architecture: 's390x' } };
  await assert.rejects(store.images.pull('x', other), {
    kind: 'notFound',
    message: 'no matching manifest for linux/s390x in the manifest list entries',
  });
  assert.deepEqual(await store.leftovers(), []);
});

test('pull() by digest names the image by it; with all tags, it takes each', async () => {
  await using store = await openImageStore();
  const manifest = publish(store.registry, 'library/x', [base], { tags: ['1', '2'] });
  const { lines, ...options } = transfer();
  await store.images.pull(`x@${manifest.digest}`, options);
  assert.deepEqual(store.images.get(`x@${manifest.digest}`).tags, []);
  assert.equal(lines[0], `x@${manifest.digest} Pulling from library/x`);
  assert.equal(lines.at(-1), `Status: Downloaded newer image for x@${manifest.digest}`);
  await store.images.pull('x', { ...transfer(), allTags: true });
  assert.deepEqual(store.images.list()[0]?.tags, ['x:1', 'x:2']);
});

test('pull() of one image twice at once downloads and unpacks once', async () => {
  const unpacked: string[] = [];
  await using store = await openImageStore({
    before: (call) => call === 'archiver.applyLayer' && unpacked.push(call),
  });
  publish(store.registry, 'library/x', [base, top], { tags: ['1', '2'] });
  await Promise.all([store.images.pull('x:1', transfer()), store.images.pull('x:2', transfer())]);
  assert.deepEqual(store.images.list()[0]?.tags, ['x:1', 'x:2']);
  assert.equal(store.registry.requests.length, 3);
  assert.equal(unpacked.length, 2);
  assert.deepEqual(await store.leftovers(), []);
});

test('pull() says which layers wait for their turn', async () => {
  await using store = await openImageStore();
  const layers = await Promise.all(
    ['a', 'b', 'c', 'd', 'e'].map((name) => tarOf({ [name]: randomBytes(200_000) })),
  );
  publish(store.registry, 'library/x', layers, { tags: ['1'] });
  const { lines, ...options } = transfer();
  await store.images.pull('x:1', options);
  assert.equal(lines.filter((line) => line.endsWith(' Waiting')).length, 2);
});

test('pull() that is stopped leaves only what it can go on with', async () => {
  await using store = await openImageStore();
  publish(store.registry, 'library/x', [base, top], { tags: ['1'] });
  const abort = new AbortController();
  const { registry } = store;
  registry.onChunk = (_digest, position) => {
    if (position < 131072) return;
    abort.abort(new Error('enough'));
    throw unavailable('gone');
  };
  await assert.rejects(store.images.pull('x:1', transfer(abort.signal)), /enough/);
  await eventually(async () => {
    const left = await store.leftovers();
    assert.ok(
      left.every((line) => /^(?:ingest key-|blob |lease )/.test(line)) && store.images.list().length === 0,
      left.join('\n'),
    );
  });
  registry.onChunk = () => undefined;
  await store.images.pull('x:1', transfer());
  assert.deepEqual(await store.leftovers(), []);
  assert.ok(registry.requests.some((line) => line.endsWith('@131072')));
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

describe('pull() refuses', () => {
  test('pull() refuses a layer that is not what the configuration says', async () => {
    await using store = await openImageStore();
    publish(store.registry, 'library/x', [base, top], {
      tags: ['1'],
      diffIds: [digestOf(base), digestOf(base)],
    });
    await assert.rejects(store.images.pull('x:1', transfer()), /invalid diffID for layer 1/);
    assert.deepEqual(store.images.list(), []);
    assert.deepEqual(await store.leftovers(), []);
  });

  test('pull() refuses a layer whose bytes are not those of its digest', async () => {
    await using store = await openImageStore();
    publish(store.registry, 'library/x', [base, top], { tags: ['1'] });
    const { registry } = store;
    const fetched = registry.repository('docker.io/library/x');
    const { bytes } = await fetched.fetchManifest('1', { signal: new AbortController().signal });
    const layer = /"layers":\[{[^}]*"digest":"(sha256:[0-9a-f]+)","size":(\d+)/.exec(
      Buffer.from(bytes).toString(),
    );
    assert.ok(layer?.[1] && layer[2]);
    registry.putBlob('library/x', Buffer.alloc(Number(layer[2]), 1), layer[1] as ReturnType<typeof digestOf>);
    await assert.rejects(store.images.pull('x:1', transfer()), /verification failed/);
    assert.deepEqual(await store.leftovers(), []);
  });

  test('pull() refuses a configuration that does not fit the layers', async () => {
    await using store = await openImageStore();
    publish(store.registry, 'library/x', [base, top], { tags: ['1'], diffIds: [digestOf(base)] });
    await assert.rejects(store.images.pull('x:1', transfer()), /2 layers, its configuration has 1 diffIDs/);
    assert.deepEqual(await store.leftovers(), []);
  });

  test('pull() tells of a tag that is not there', async () => {
    await using store = await openImageStore();
    await assert.rejects(store.images.pull('x:1', transfer()), {
      kind: 'notFound',
      message: /manifest unknown/,
    });
    assert.deepEqual(await store.leftovers(), []);
  });

  test('pull() refuses what is no image', async () => {
    await using store = await openImageStore();
    const config = {
      mediaType: mediaTypes.ociEmpty,
      digest: store.registry.putBlob('library/x', Buffer.from('{}')),
      size: 2,
    };
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType: 'text/spdx',
      config,
      layers: [],
    };
    store.registry.putManifest('library/x', mediaTypes.ociManifest, manifest, '1');
    await assert.rejects(
      store.images.pull('x:1', transfer()),
      /unsupported media type application\/vnd.oci.empty.v1\+json/,
    );
    assert.deepEqual(await store.leftovers(), []);
  });
});

test('pull() that fails at any step leaves nothing, and goes through afterwards', async () => {
  let calls = 0;
  let failAt = Infinity;
  const log: string[] = [];
  const before = (call: string): void => {
    calls += 1;
    log.push(call);
    if (calls === failAt) throw new Error(`${call} failed`);
  };
  await using store = await openImageStore({ before });
  publish(store.registry, 'library/x', [base, top], { tags: ['1'] });
  for (failAt = 1; ; failAt += 1) {
    calls = 0;
    const failed = await store.images.pull('x:1', transfer()).then(
      () => false,
      () => true,
    );
    if (!failed) break;
    await eventually(async () => {
      const left = await store.leftovers();
      assert.deepEqual(
        left.filter((line) => !line.startsWith('ingest key-')),
        [],
        `after call ${failAt}: ${log.at(-1) ?? ''}`,
      );
    });
    assert.deepEqual(store.images.list(), []);
    assert.ok(failAt < 200);
  }
  assert.ok(failAt > 15);
  assert.deepEqual(await store.leftovers(), []);
});

test('pull() of hello-world takes the embedded one when no registry answers', async () => {
  await using store = await openImageStore();
  store.registry.unreachable = true;
  const { lines, ...options } = transfer();
  await store.images.pull('hello-world', options);
  assert.equal(lines.at(-1), 'Status: Using the hello-world that is embedded in Wharf');
  const image = store.images.get('hello-world');
  assert.deepEqual(image.config.config?.Cmd, ['/hello']);
  await assert.rejects(store.images.pull('other', transfer()), { kind: 'unavailable' });
  await store.images.remove('hello-world', { force: false, prune: true });
  await store.images.ensureHelloWorld();
  assert.equal(store.images.get('hello-world').id, image.id);
  assert.deepEqual(await store.leftovers(), []);
});

test('pull() of hello-world takes what a registry has', async () => {
  await using store = await openImageStore();
  await store.images.ensureHelloWorld();
  const embedded = store.images.get('hello-world').id;
  publish(store.registry, 'library/hello-world', [top], { tags: ['latest'] });
  await store.images.pull('hello-world', transfer());
  assert.notEqual(store.images.get('hello-world').id, embedded);
  assert.deepEqual(store.images.get(shortId(embedded)).tags, []);
});
