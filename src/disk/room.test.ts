import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createArchiver } from '#archive';
import { createLocalContentStore, type ContentStore } from '#content';
import { internal } from '#kernel';
import { digestOf } from '#oci';
import { unpackingWithRoom, withRoom } from './room.ts';

const full = (): Error =>
  internal('no space left', Object.assign(new Error('write failed'), { code: 'ENOSPC' }));

test('withRoom() asks for room before a blob comes in, and writes again what found the disk full', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'wharf-room-'));
  t.after(() => rm(root, { recursive: true }));
  const store = createLocalContentStore({ root });
  await store.start();
  const asked: string[] = [];
  let isFull = true;
  const failing: ContentStore = new Proxy(store, {
    get(target, key) {
      if (key === 'put' && isFull) return () => Promise.reject(full());
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const guarded = withRoom(failing, {
    make: async (bytes, cause) => {
      asked.push(`${bytes} ${cause}`);
      isFull = false;
      return Promise.resolve();
    },
  });
  const data = Buffer.from('hello');
  const digest = digestOf(data);
  assert.deepEqual(await guarded.put(data), { digest, size: 5 });
  await store.remove(digest);
  await using ingest = await guarded.ingest({ expected: { digest, size: 5 } });
  await ingest.write(data);
  await ingest.commit();
  assert.equal(ingest.offset, 0);
  assert.deepEqual(asked, ['5 the disk is full', '5 a blob comes in']);
  assert.ok(await guarded.find(digest));
});

test('unpackingWithRoom() makes room when unpacking finds the disk full, and still fails', async () => {
  await using archiver = createArchiver();
  const asked: string[] = [];
  const guarded = unpackingWithRoom(
    new Proxy(archiver, {
      get: (target, key): unknown =>
        key === 'applyLayer' ? () => Promise.reject(full()) : Reflect.get(target, key, target),
    }),
    {
      make: async (_bytes, cause) => {
        asked.push(cause);
        return Promise.resolve();
      },
    },
  );
  const signal = new AbortController().signal;
  await assert.rejects(guarded.applyLayer({ path: '/' }, { mounts: { lower: [] }, signal }), full());
  assert.deepEqual(asked, ['the disk is full']);
});
