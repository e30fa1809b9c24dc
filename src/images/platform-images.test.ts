import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, hexOf, mediaTypes, parseIndex, parseManifest, type Descriptor, type Platform } from '#oci';
import { chunks, tarOf } from './testing/archives.ts';
import { openImageStore, transfer } from './testing/image-store.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };
const signal = new AbortController().signal;

/** An OCI layout of an index with an image for each platform and an attestation of the first one. */
async function layoutOf(platforms: readonly Platform[], name: string): Promise<Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  const add = (mediaType: string, content: string | Uint8Array): Descriptor => {
    const bytes = Buffer.from(content);
    const digest = digestOf(bytes);
    files[`blobs/sha256/${hexOf(digest)}`] = bytes;
    return { mediaType, digest, size: bytes.length };
  };
  const manifestOf = (config: object, layer: Descriptor): Descriptor =>
    add(
      mediaTypes.ociManifest,
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: add(mediaTypes.ociConfig, JSON.stringify(config)),
        layers: [layer],
      }),
    );
  const manifests: Descriptor[] = [];
  for (const platform of platforms) {
    const layer = await tarOf({ [platform.architecture]: platform.architecture });
    const config = { ...platform, config: {}, rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } };
    manifests.push({ ...manifestOf(config, add(mediaTypes.ociLayer, layer)), platform });
  }
  const unknown = { os: 'unknown', architecture: 'unknown' };
  const subject = manifests[0]?.digest ?? digestOf(Buffer.alloc(0));
  manifests.push({
    ...manifestOf(unknown, add('application/vnd.in-toto+json', JSON.stringify({ subject: hexOf(subject) }))),
    platform: unknown,
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': manifests[0]?.digest ?? '',
    },
  });
  const target = add(
    mediaTypes.ociIndex,
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }),
  );
  const index = {
    schemaVersion: 2,
    manifests: [{ ...target, annotations: { 'io.containerd.image.name': name } }],
  };
  return tarOf({
    ...files,
    'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
    'index.json': JSON.stringify(index),
  });
}

test('select() unpacks another platform of an index when it is asked for first', async () => {
  await using store = await openImageStore();
  await store.images.load(chunks(await layoutOf([arm64, amd64], 'docker.io/library/x:1')), transfer());
  const own = store.images.get('x:1');
  assert.equal(own.config.architecture, 'amd64');
  assert.equal(store.images.list().length, 1);
  const other = await store.images.select('x:1', arm64, { signal });
  assert.equal(other.config.architecture, 'arm64');
  assert.equal(other.target.digest, own.target.digest);
  assert.ok(other.chainId && store.snapshots.find(other.chainId));
  // The name stays where it is.
  assert.equal(store.images.get('x:1').id, own.id);
  assert.equal((await store.images.select('x:1', arm64, { signal })).id, other.id);
  assert.equal((await store.images.select('x:1', amd64, { signal })).id, own.id);
  await assert.rejects(store.images.select('x:1', { os: 'linux', architecture: 's390x' }, { signal }), {
    kind: 'notFound',
    message:
      'image with reference x:1 was found but its platform (linux/amd64) does not match the specified platform (linux/s390x)',
  });
  const reopened = await store.reopen();
  assert.equal((await reopened.select('x:1', arm64, { signal })).id, other.id);
});

test('manifests() tells images, whether they are here, and attestations', async () => {
  await using store = await openImageStore();
  await store.images.load(chunks(await layoutOf([arm64, amd64], 'docker.io/library/x:1')), transfer());
  const manifests = await store.images.manifests('x:1');
  assert.deepEqual(
    manifests.map(({ kind, available, platform, unpackedSize }) => [
      kind,
      available,
      platform?.architecture,
      unpackedSize > 0,
    ]),
    [
      ['image', true, 'arm64', false],
      ['image', true, 'amd64', true],
      ['attestation', true, undefined, false],
    ],
  );
  assert.equal(manifests[2]?.subject, manifests[0]?.descriptor.digest);
});

test('remove() of a platform leaves the others', async () => {
  await using store = await openImageStore();
  await store.images.load(chunks(await layoutOf([arm64, amd64], 'docker.io/library/x:1')), transfer());
  const options = { force: false, prune: true, platforms: [arm64] };
  const [arm] = await store.images.manifests('x:1');
  assert.deepEqual(await store.images.remove('x:1', options), [{ Deleted: arm?.descriptor.digest }]);
  const [gone] = await store.images.manifests('x:1');
  assert.deepEqual([gone?.available, gone?.contentSize], [false, 0]);
  await assert.rejects(store.images.remove('x:1', options), { kind: 'notFound' });
  const reopened = await store.reopen();
  assert.equal(reopened.get('x:1').config.architecture, 'amd64');
});

test('load() of an archive without the host’s platform takes one that is there', async () => {
  await using store = await openImageStore();
  await store.images.load(chunks(await layoutOf([arm64], 'docker.io/library/x:1')), transfer());
  assert.equal(store.images.get('x:1').config.architecture, 'arm64');
});

test('load() for a platform passes over images of others', async () => {
  await using store = await openImageStore();
  const archive = await layoutOf([arm64, amd64], 'docker.io/library/x:1');
  await store.images.load(chunks(archive), {
    ...transfer(),
    platforms: [{ os: 'linux', architecture: 's390x' }],
  });
  assert.equal(store.images.list().length, 0);
  await store.images.load(chunks(archive), { ...transfer(), platforms: [arm64] });
  assert.equal(store.images.get('x:1').config.architecture, 'arm64');
});

test('a parent stays while images were committed on it, and goes with the last of them', async () => {
  await using store = await openImageStore();
  await store.images.load(chunks(await layoutOf([amd64], 'docker.io/library/x:1')), transfer());
  const base = store.images.get('x:1');
  await store.snapshots.prepare('container', base.chainId);
  const spec = { containerId: 'container', parent: base.id, config: {}, history: { created_by: 'test' } };
  const child = await store.images.commit({ ...spec, reference: 'child:1' }, { signal });
  await store.snapshots.remove('container');
  assert.equal(store.images.get(child).parent, base.id);
  assert.deepEqual(
    store.images.history(child).map(({ id }) => id),
    [child],
  );
  await assert.rejects(store.images.remove(base.id, { force: true, prune: true }), {
    kind: 'conflict',
    message: `conflict: unable to delete ${base.id.slice(7, 19)} (cannot be forced) - image has dependent child images`,
  });
  assert.deepEqual(await store.images.remove('x:1', { force: false, prune: true }), [{ Untagged: 'x:1' }]);
  assert.ok(store.images.hasChildren(base.id));
  const removed = await store.images.remove('child:1', { force: false, prune: true });
  assert.ok(removed.some(({ Deleted }) => Deleted === base.id));
  assert.deepEqual(store.images.list(), []);
  assert.deepEqual(await store.leftovers(), []);
});

test('sharedSizes() counts the layers that several images have', async () => {
  await using store = await openImageStore();
  await store.images.load(chunks(await layoutOf([amd64], 'docker.io/library/x:1')), transfer());
  const base = store.images.get('x:1');
  assert.equal(store.images.sharedSizes().get(base.id), 0);
  await store.snapshots.prepare('container', base.chainId);
  const spec = { containerId: 'container', parent: base.id, config: {}, history: {} };
  const child = await store.images.commit(spec, { signal });
  assert.equal(store.images.sharedSizes().get(base.id), base.size);
  assert.equal(store.images.sharedSizes().get(child), base.size);
});

test('push() compresses the layers of an index, and what is said about its images names the new ones', async () => {
  await using store = await openImageStore();
  await store.images.load(chunks(await layoutOf([amd64, arm64], 'h.test/x:1')), transfer());
  await store.images.select('h.test/x:1', arm64, { signal });
  await store.images.push('h.test/x:1', transfer());
  const repository = store.registry.repository('h.test/x');
  const documentOf = async (reference: string): Promise<Uint8Array> =>
    (await repository.fetchManifest(reference, { signal })).bytes;
  const { manifests } = parseIndex(await documentOf('1'));
  const [first, , attestation] = manifests;
  assert.ok(first && attestation);
  for (const { digest, platform } of manifests.slice(0, 2)) {
    const { layers } = parseManifest(await documentOf(digest));
    assert.deepEqual(
      layers.map(({ mediaType }) => mediaType),
      [mediaTypes.ociLayerGzip],
    );
    const image = await store.images.select('h.test/x:1', platform ?? amd64, { signal });
    assert.equal(image.manifest.digest, digest);
  }
  assert.equal(attestation.annotations?.['vnd.docker.reference.digest'], first.digest);
  const [statement] = parseManifest(await documentOf(attestation.digest)).layers;
  assert.ok(statement);
  const text = Buffer.from(await store.content.read(statement.digest)).toString();
  assert.deepEqual(JSON.parse(text), { subject: hexOf(first.digest) });
  // The second time there is nothing to do.
  const target = store.images.get('h.test/x:1').target.digest;
  await store.images.push('h.test/x:1', transfer());
  assert.equal(store.images.get('h.test/x:1').target.digest, target);
  // What is said about the image: its manifest, configuration and statement.
  assert.equal((await store.leftovers()).length, 3);
  // The index and the manifests name the image, too.
  assert.equal(store.images.get(target).id, store.images.get('h.test/x:1').id);
  assert.equal(store.images.get(first.digest).id, store.images.get('h.test/x:1').id);
});
