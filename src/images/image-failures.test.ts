import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { unmount } from '#linux';
import { chunks, dockerArchiveFiles, tarOf } from './testing/archives.ts';
import { openImageStore, transfer, type ImageStoreBench } from './testing/image-store.ts';

const base = await tarOf({ 'etc/name': 'base', 'bin/tool': 'x'.repeat(300_000) });
const archive = await tarOf(dockerArchiveFiles([base], ['x:1', 'h.test/x:1']));
const signal = new AbortController().signal;

async function runContainer(store: ImageStoreBench): Promise<void> {
  await store.snapshots.prepare('c1', store.images.get('x:1').chainId);
  const target = join(store.root, 'mnt');
  mkdirSync(target);
  store.snapshots.mount('c1', target);
  try {
    writeFileSync(join(target, 'new'), 'y'.repeat(500_000));
  } finally {
    unmount(target, { lazy: true });
  }
}

const operations: readonly [string, (store: ImageStoreBench) => Promise<unknown>][] = [
  ['import()', ({ images }) => images.import(chunks(gzipSync(base)), { ...transfer(), reference: 'y:1' })],
  [
    'commit()',
    ({ images }) =>
      images.commit(
        {
          containerId: 'c1',
          parent: images.get('x:1').id,
          config: {},
          history: { created: '2026-01-01T00:00:00Z' },
          reference: 'y:1',
        },
        { signal },
      ),
  ],
  ['push()', ({ images }) => images.push('h.test/x:1', transfer())],
  ['save()', async ({ images }) => (await images.save(['x:1'], { signal })).toArray()],
  ['ensureHelloWorld()', ({ images }) => images.ensureHelloWorld()],
];

describe('a failure at any step', () => {
  for (const [title, operation] of operations) {
    test(`${title} that fails at any step changes nothing and leaves nothing`, async () => {
      let calls = 0;
      let failAt = Infinity;
      let last = '';
      await using store = await openImageStore({
        before: (call) => {
          calls += 1;
          last = call;
          if (calls === failAt) throw new Error(`${call} failed`);
        },
      });
      await store.images.load(chunks(archive), transfer());
      await runContainer(store);
      const before = JSON.stringify(store.images.list().map(({ id, tags }) => [id, tags]));
      for (failAt = 1; failAt < 200; failAt += 1) {
        calls = 0;
        const failed = await operation(store).then(
          () => false,
          () => true,
        );
        const left = (await store.leftovers()).filter((line) => line !== 'snapshot c1');
        assert.deepEqual(left, [], `after call ${failAt}: ${last}`);
        if (!failed) break;
        const after = JSON.stringify(store.images.list().map(({ id, tags }) => [id, tags]));
        assert.equal(after, before, `after call ${failAt}: ${last}`);
      }
      assert.ok(failAt > 3 && failAt < 200);
      failAt = Infinity;
      assert.ok((await store.reopen()).list().length > 0);
      assert.deepEqual(store.warnings, []);
    });
  }
});
