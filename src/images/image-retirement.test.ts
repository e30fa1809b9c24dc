import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '#oci';
import { chunks, dockerArchiveFiles, tarOf } from './testing/archives.ts';
import { openImageStore, transfer, type ImageStoreBench } from './testing/image-store.ts';

const base = await tarOf({ 'etc/name': 'base' });
const top = await tarOf({ 'etc/other': 'top' });
const other = await tarOf({ 'etc/more': 'm'.repeat(10_000) });

async function load(
  store: ImageStoreBench,
  layers: readonly Uint8Array[],
  ...tags: string[]
): Promise<Digest> {
  await store.images.load(chunks(await tarOf(dockerArchiveFiles(layers, tags))), transfer());
  return store.images.get(tags[0] ?? '').id;
}

test('retire() hides an image, keeps what it needs, also over a restart; reinstate() brings it back', async () => {
  await using store = await openImageStore();
  const id = await load(store, [base, top], 'x:1', 'y:1');
  store.images.tag('x:1', 'x:1');
  const kept = store.images.get('x:1');
  await load(store, [base, other], 'z:1');
  const removed = store.images.upkeep.retire(id, 'first');
  // The base is z:1's too.
  assert.deepEqual(removed, [
    { Untagged: 'x:1' },
    { Untagged: 'y:1' },
    { Deleted: id },
    { Deleted: kept.chainId },
  ]);
  for (let round = 0; round < 2; round += 1) {
    assert.equal(store.images.find('x:1'), undefined);
    assert.equal(store.images.find(id), undefined);
    assert.deepEqual(
      store.images.list().map(({ tags }) => tags),
      [['z:1']],
    );
    const [held] = store.images.upkeep.holdings().filter(({ retired }) => retired);
    assert.deepEqual([held?.id, held?.tags, held?.retired?.batch], [id, ['x:1', 'y:1'], 'first']);
    assert.deepEqual(await store.images.collectGarbage(), { removed: [], bytes: 0 });
    await store.reopen();
  }
  store.images.tag('z:1', 'y:1');
  assert.deepEqual(store.images.upkeep.reinstate(id), { names: ['x:1'], taken: ['y:1'] });
  assert.throws(() => store.images.upkeep.reinstate(id), { kind: 'notFound' });
  await store.reopen();
  assert.deepEqual(store.images.get('x:1').tags, ['x:1']);
  assert.equal(store.images.get('x:1').lastTaggedAt, kept.lastTaggedAt);
  assert.deepEqual(store.images.get('x:1').chainId, kept.chainId);
  assert.deepEqual(await store.leftovers(), []);
});

test('discard() frees what no other image needs, and only that, live or in the bin', async () => {
  await using store = await openImageStore();
  const first = await load(store, [base, top], 'x:1');
  const second = await load(store, [base, other], 'y:1');
  store.images.upkeep.retire(first, 'b');
  const size = await store.snapshots.disk(store.images.get('y:1').chainId ?? '');
  const gone = await store.images.upkeep.discard(second, 'unused');
  // Its top layer and its blobs: a layer of three blocks, a configuration and a manifest.
  assert.equal(gone.bytes, size + Math.ceil(other.length / 4096) * 4096 + 2 * 4096);
  assert.deepEqual(
    gone.removed.map(({ Untagged, Deleted }) => Untagged ?? (Deleted === second ? 'image' : 'layer')),
    ['y:1', 'image', 'layer'],
  );
  assert.equal(store.snapshots.list().length, 2);
  await store.images.upkeep.discard(first);
  await store.snapshots.emptied();
  assert.deepEqual(store.snapshots.list(), []);
  assert.deepEqual(await Array.fromAsync(store.content.walk()), []);
  await store.reopen();
  assert.deepEqual(store.images.upkeep.holdings(), []);
});

test('an image that comes again leaves the bin; its layers are used again', async () => {
  await using store = await openImageStore();
  const id = await load(store, [base, top], 'x:1');
  store.images.upkeep.retire(id, 'b');
  assert.equal(await load(store, [base, top], 'n:1'), id);
  assert.deepEqual(store.images.get('n:1').tags, ['n:1']);
  assert.deepEqual(
    store.images.upkeep.holdings().map(({ retired }) => retired),
    [undefined],
  );
  await store.reopen();
  assert.deepEqual(store.images.get('n:1').tags, ['n:1']);
  assert.throws(() => store.images.upkeep.reinstate(id), { kind: 'notFound' });
});

test('retire() and discard() refuse an image that a container uses', async () => {
  await using store = await openImageStore({
    users: () => [{ containerId: 'c'.repeat(64), running: false }],
  });
  const id = await load(store, [base], 'x:1');
  assert.throws(() => store.images.upkeep.retire(id, 'b'), { kind: 'conflict' });
  await assert.rejects(store.images.upkeep.discard(id), { kind: 'conflict' });
  assert.deepEqual(store.images.get('x:1').tags, ['x:1']);
});
