import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type FileStat, type Packet, goModeOf, type EntryType } from '#filesync';
import { FileStore } from './file-store.ts';
import { TreeReceiver } from './tree-receiver.ts';

const root = mkdtempSync(join(tmpdir(), 'wharf-test-receiver-'));
after(() => rmSync(root, { recursive: true }));

const stat = (path: string, type: EntryType = 'file', linkname = ''): FileStat => ({
  path,
  mode: goModeOf(type, 0o644),
  uid: 0,
  gid: 0,
  size: 3,
  modTime: 1n,
  linkname,
  devmajor: 0,
  devminor: 0,
  xattrs: new Map(),
});

const receiver = (sent: Packet[] = []): TreeReceiver =>
  new TreeReceiver({
    store: new FileStore(root),
    previous: new Map(),
    send: (packet) => sent.push(packet),
  });

const list = (target: TreeReceiver, ...stats: FileStat[]): void => {
  for (const one of stats) target.take({ type: 'stat', stat: one });
};

describe('TreeReceiver', () => {
  it('take() refuses paths that leave the tree or go through a link', () => {
    for (const path of ['../a', '/a', 'a/../b', '', '.', 'a//b', 'a\0b']) {
      assert.throws(() => list(receiver(), stat(path)), /sent a file with the path/, path);
    }
    assert.throws(() => list(receiver(), stat('a', 'symlink', '/etc'), stat('a/b')), /without its folder/);
    assert.throws(() => list(receiver(), stat('a/b')), /without its folder/);
    assert.throws(() => list(receiver(), stat('a'), stat('a')), /twice/);
  });

  it('take() refuses contents that nobody asked for and an early end', () => {
    assert.throws(() => receiver().take({ type: 'data', id: 0, data: new Uint8Array() }), /nobody asked/);
    assert.throws(() => receiver().take({ type: 'end' }), /too early/);
    assert.throws(() => receiver().take({ type: 'error', message: 'no such folder' }), /no such folder/);
  });

  it('tree() gives a hard link the contents of its file', () => {
    const sent: Packet[] = [];
    const target = receiver(sent);
    list(target, stat('a'), stat('b', 'hard-link', 'a'));
    target.take({ type: 'stat', stat: undefined });
    target.take({ type: 'data', id: 0, data: Buffer.from('abc') });
    assert.equal(target.take({ type: 'data', id: 0, data: new Uint8Array() }), false);
    assert.deepEqual(sent, [{ type: 'request', id: 0 }, { type: 'end' }]);
    assert.equal(target.take({ type: 'end' }), true);
    assert.equal(target.tree().get('b')?.digest, target.tree().get('a')?.digest);
    const lost = receiver();
    list(lost, stat('b', 'hard-link', 'missing'));
    assert.throws(() => lost.tree(), /not in the context/);
  });
});
