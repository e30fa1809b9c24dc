import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { StoredFile } from './content-index.ts';
import { FileStore, filesOf } from './file-store.ts';

describe('FileStore', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'wharf-test-files-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const put = (store: FileStore, ...chunks: string[]): StoredFile => {
    const file = store.create();
    for (const chunk of chunks) file.write(Buffer.from(chunk));
    return file.finish();
  };

  const contentsOf = ({ size, stored }: StoredFile): string =>
    readFileSync(join(filesOf(root), stored.file)).toString('latin1', stored.offset, stored.offset + size);

  const large = 'x'.repeat(700_000);

  it('create() puts small contents into one file, and large ones into files of their own', () => {
    const store = new FileStore(root);
    const [first, second, third] = [put(store, 'o', 'ne'), put(store), put(store, 'two')];
    const whole = put(store, large, large);
    store.commit();
    assert.equal(new Set([first, second, third].map(({ stored }) => stored.file)).size, 1);
    assert.deepEqual([first, second, third].map(contentsOf), ['one', '', 'two']);
    assert.equal(contentsOf(whole), large + large);
    assert.equal(readdirSync(filesOf(root)).length, 2);
  });

  it('finish() answers contents that are there already', () => {
    const store = new FileStore(root);
    const first = [put(store, 'one'), put(store, large, large)];
    assert.deepEqual([put(store, 'one'), put(store, large, large)], first);
    store.commit();
    const next = new FileStore(root);
    assert.deepEqual([put(next, 'on', 'e'), put(next, large, large)], first);
    next.commit();
    assert.equal(readdirSync(filesOf(root)).length, 2);
  });

  it('finish() keeps contents anew whose file was lost', () => {
    const store = new FileStore(root);
    const lost = put(store, 'one');
    store.commit();
    rmSync(join(filesOf(root), lost.stored.file));
    const next = new FileStore(root);
    const again = put(next, 'one');
    next.commit();
    assert.equal(contentsOf(again), 'one');
    assert.deepEqual(put(new FileStore(root), 'one'), again);
  });

  it('discard() leaves nothing, whatever was half written', () => {
    const store = new FileStore(root);
    put(store, 'one');
    put(store, large, large);
    const half = store.create();
    half.write(Buffer.from(large));
    half.write(Buffer.from(large));
    half.discard();
    assert.equal(readdirSync(filesOf(root)).length, 2);
    store.discard();
    assert.deepEqual(readdirSync(filesOf(root)), []);
    const next = new FileStore(root);
    assert.equal(contentsOf(put(next, large, large)), large + large);
    next.discard();
  });
});
