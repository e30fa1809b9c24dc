import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decompress, readTar } from '#archive';
import { digestOf, hostPlatform, mediaTypes, type Digest } from '#oci';
import type { ImageOutputs } from './image-outputs.ts';
import { chunks, dockerArchiveFiles, tarOf } from './testing/archives.ts';
import { openImageStore, transfer } from './testing/image-store.ts';

const { signal } = new AbortController();

async function uncompressed(outputs: ImageOutputs, digest: Digest): Promise<Buffer> {
  const { stream } = await decompress((await outputs.open(digest)) as AsyncIterable<Uint8Array>, { signal });
  return Buffer.concat(await Array.fromAsync(stream));
}

test('convert() gives layers the form that is asked for, and the same blob each time', async () => {
  await using store = await openImageStore();
  const layer = await tarOf({ file: 'x'.repeat(10_000) });
  await store.images.load(chunks(await tarOf(dockerArchiveFiles([layer], ['x:1']))), transfer());
  await using claim = store.images.building.begin();
  const [built] = store.images.building.layersOf(store.images.get('x:1').id) ?? [];
  assert.ok(built);
  const types = { gzip: mediaTypes.dockerLayerGzip, zstd: mediaTypes.ociLayerZstd } as const;
  for (const type of ['gzip', 'zstd'] as const) {
    for (const level of [undefined, 1]) {
      const form = { type, ...(level !== undefined && { level }) };
      const made = await claim.outputs.convert(built, form, { signal });
      assert.equal(made.mediaType, types[type]);
      assert.ok(made.size < layer.length);
      assert.deepEqual(await uncompressed(claim.outputs, made.digest), layer);
      assert.deepEqual(await claim.outputs.convert(built, form, { signal }), made);
    }
  }
  // What is compressed stays so unless it is forced.
  const zstd = { ...built, blob: await claim.outputs.convert(built, { type: 'zstd' }, { signal }) };
  assert.equal(await claim.outputs.convert(zstd, { type: 'gzip' }, { signal }), zstd.blob);
  const forced = await claim.outputs.convert(zstd, { type: 'uncompressed', isForced: true }, { signal });
  assert.deepEqual(forced, { mediaType: mediaTypes.dockerLayer, digest: built.diffId, size: layer.length });
});

test('clampTimes() makes layers that are no later, once, and leaves those of the base', async () => {
  await using store = await openImageStore();
  const layers = [await tarOf({ base: '1' }), await tarOf({ own: '2' })];
  await store.images.load(chunks(await tarOf(dockerArchiveFiles(layers, ['x:1']))), transfer());
  const { id } = store.images.get('x:1');
  {
    await using claim = store.images.building.begin();
    const stack = store.images.building.layersOf(id) ?? [];
    const clamped = await claim.outputs.clampTimes(stack, 1, -1_000_000_000n, { signal });
    assert.equal(clamped[0], stack[0]);
    const [, own] = clamped;
    assert.ok(own && own.diffId !== stack[1]?.diffId);
    assert.equal(digestOf(await uncompressed(claim.outputs, own.blob.digest)), own.diffId);
    for await (const { header } of readTar(
      (await claim.outputs.open(own.blob.digest)) as AsyncIterable<Uint8Array>,
    ))
      assert.equal(header.mtime, -1_000_000_000n);
    assert.deepEqual(await claim.outputs.clampTimes(stack, 1, -1_000_000_000n, { signal }), clamped);
  }
  assert.deepEqual(await store.leftovers(), []);
});

test('admit() makes an image of what was put, and push() sends it; squash() makes one layer of several', async () => {
  await using store = await openImageStore();
  const layers = [
    await tarOf({ base: '1' }),
    await tarOf({ gone: 'x', kept: '2' }),
    await tarOf({ '.wh.gone': '' }),
  ];
  await store.images.load(chunks(await tarOf(dockerArchiveFiles(layers, ['x:1']))), transfer());
  {
    await using claim = store.images.building.begin();
    const { outputs } = claim;
    const stack = store.images.building.layersOf(store.images.get('x:1').id) ?? [];
    const squashed = await claim.squash(stack, 1, { signal });
    assert.equal(squashed.length, 2);
    assert.equal(squashed[0], stack[0]);
    const names: string[] = [];
    const top = squashed[1]?.blob.digest ?? digestOf(Buffer.alloc(0));
    for await (const { header } of readTar((await outputs.open(top)) as AsyncIterable<Uint8Array>))
      names.push(header.name);
    assert.deepEqual(names, ['kept']);
    const rootfs = { type: 'layers', diff_ids: squashed.map(({ diffId }) => diffId) };
    const text = JSON.stringify({ ...hostPlatform(), config: {}, rootfs });
    const config = await outputs.put(mediaTypes.dockerConfig, Buffer.from(text));
    const document = { schemaVersion: 2, config, layers: squashed.map(({ blob }) => blob) };
    const manifest = await outputs.put(mediaTypes.dockerManifest, Buffer.from(JSON.stringify(document)));
    const record = await outputs.admit(manifest, {
      ...{ names: ['h.test/made:1'], canonicalNames: ['h.test/made'], platform: hostPlatform(), manifest },
      ...{ replaces: false, signal },
    });
    assert.deepEqual(record.tags, ['h.test/made:1']);
    assert.deepEqual(record.digests, [`h.test/made@${manifest.digest}`]);
    await outputs.push(manifest, 'h.test/made:1', { signal, byDigest: false });
    const sent = await store.registry.repository('h.test/made').fetchManifest('1', { signal });
    assert.equal(sent.descriptor.digest, manifest.digest);
    await outputs.push(manifest, 'h.test/other:1', { signal, byDigest: true });
    const other = store.registry.repository('h.test/other');
    await assert.rejects(other.fetchManifest('1', { signal }), /not found/);
    assert.equal((await other.fetchManifest(manifest.digest, { signal })).descriptor.digest, manifest.digest);
  }
  assert.deepEqual(await store.leftovers(), []);
});
