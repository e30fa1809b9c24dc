import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { Database } from '#metadata';
import { digestOf, type Digest } from '#oci';
import { HistoryStore, type HistoryLimits } from './history-store.ts';

interface Opened {
  readonly store: HistoryStore;
  readonly folder: string;
  readonly clock: { time: bigint };
}

async function opened(context: TestContext, limits?: HistoryLimits): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-test-history-'));
  const db = new Database(':memory:');
  context.after(async () => {
    db[Symbol.dispose]();
    await rm(folder, { recursive: true });
  });
  const clock = { time: 0n };
  const store = new HistoryStore(folder, db, { now: () => clock.time }, limits);
  await store.start();
  return { store, folder, clock };
}

const blobOf = (text: string): readonly [Digest, Uint8Array] => [digestOf(text), Buffer.from(text)];
const refs = (store: HistoryStore): readonly string[] => store.list().map(({ ref }) => ref);

test('put() keeps an entry and its blobs, of which ranges can be read', async (context) => {
  const { store } = await opened(context);
  const [digest, data] = blobOf('0123456789');
  await store.put({ ref: 'a', createdAt: 1n, record: '{}' }, new Map([[digest, data]]));
  assert.deepEqual(store.find('a'), { ref: 'a', createdAt: 1n, pinned: false, generation: 1, record: '{}' });
  assert.equal(await store.size(digest), 10);
  assert.equal((await buffer(store.open(digest, { start: 2, end: 5 }))).toString(), '234');
  assert.equal((await buffer(store.open(digest, { start: 5, end: 5 }))).toString(), '');
  assert.equal(await store.size(digestOf('another')), undefined);
  assert.equal(await store.size('../../etc/passwd'), undefined);
});

test('remove() takes blobs along that no other entry has', async (context) => {
  const { store, folder } = await opened(context);
  const [shared, own] = [blobOf('shared'), blobOf('own')];
  await store.put({ ref: 'a', createdAt: 1n, record: '{}' }, new Map([shared, own]));
  await store.put({ ref: 'b', createdAt: 2n, record: '{}' }, new Map([shared]));
  await store.remove('a');
  assert.deepEqual(refs(store), ['b']);
  assert.deepEqual(await readdir(folder), [shared[0].replace('sha256:', '')]);
  await assert.rejects(store.remove('a'), { kind: 'notFound' });
});

test('put() lets the oldest entries go, and what is too old, but not what is pinned', async (context) => {
  const { store, clock } = await opened(context, { entries: 2, age: 100n });
  const put = (ref: string, createdAt: bigint): Promise<readonly string[]> =>
    store.put({ ref, createdAt, record: '{}' }, new Map());
  await put('a', 1n);
  assert.equal(store.pin('a', true).generation, 2);
  await put('b', 2n);
  await put('c', 3n);
  assert.deepEqual(await put('d', 4n), ['b']);
  assert.deepEqual(refs(store), ['d', 'c', 'a']);
  clock.time = 104n;
  assert.deepEqual(await put('e', 104n), ['c']);
  assert.throws(() => store.pin('nobody', true), { kind: 'notFound' });
});

test('start() removes what no entry names', async (context) => {
  const { store, folder } = await opened(context);
  const [digest, data] = blobOf('kept');
  await store.put({ ref: 'a', createdAt: 1n, record: '{}' }, new Map([[digest, data]]));
  await writeFile(join(folder, 'left-over.tmp'), '');
  await store.start();
  assert.deepEqual(await readdir(folder), [digest.replace('sha256:', '')]);
});
