import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  linkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createArchiver, tarHeader } from './index.ts';

const { signal } = new AbortController();

describe('Archiver', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-test-place-'));
  const archiver = createArchiver();
  after(async () => {
    await archiver[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it('listTree() names everything in a folder, links to the first name of a file', async () => {
    const root = join(folder, 'listed');
    mkdirSync(join(root, 'a/b'), { recursive: true });
    writeFileSync(join(root, 'a/b/file'), 'hello');
    linkSync(join(root, 'a/b/file'), join(root, 'a/z'));
    symlinkSync('/etc', join(root, 'a/link'));
    const entries = await archiver.listTree({ root, path: '/a', digests: true, signal });
    assert.deepEqual(
      entries.map(({ header }) => [header.name, header.type, header.linkName]),
      [
        ['.', 'folder', ''],
        ['b', 'folder', ''],
        ['b/file', 'file', ''],
        ['link', 'symlink', '/etc'],
        ['z', 'hardlink', 'b/file'],
      ],
    );
    assert.match(entries[2]?.sha256 ?? '', /^2cf24dba/);
    await assert.rejects(archiver.listTree({ root, path: '/missing', signal }), { kind: 'notFound' });
  });

  it('placeEntries() follows links inside the root only, and keeps the kinds of things', async () => {
    const root = join(folder, 'placed');
    mkdirSync(join(root, 'real'), { recursive: true });
    symlinkSync('/real', join(root, 'inside'));
    symlinkSync('../../../../../..', join(root, 'outside'));
    writeFileSync(join(folder, 'source'), 'contents');
    mkdirSync(join(folder, 'from'));
    writeFileSync(join(folder, 'from/x'), 'of a root');
    const file = (name: string): ReturnType<typeof tarHeader> =>
      tarHeader({ name, size: 8, mode: 0o4750, uid: 7, gid: 8, mtime: 5_000_000_001n });
    await archiver.placeEntries({
      root,
      entries: [
        { header: file('inside/file'), from: { file: join(folder, 'source'), offset: 0, size: 8 } },
        { header: file('outside/file'), from: { file: join(folder, 'source'), offset: 0, size: 8 } },
        { header: { ...file('part'), size: 3 }, from: { file: join(folder, 'source'), offset: 3, size: 3 } },
        { header: { ...file('new/deep/x'), size: 9 }, from: { root: join(folder, 'from'), path: '/x' } },
        { header: tarHeader({ name: 'new', type: 'folder', mode: 0o700 }) },
        { header: tarHeader({ name: 'again', type: 'hardlink', linkName: 'real/file' }) },
      ],
      signal,
    });
    assert.equal(readFileSync(join(root, 'real/file'), 'utf8'), 'contents');
    assert.equal(readFileSync(join(root, 'part'), 'utf8'), 'ten');
    assert.equal(readFileSync(join(root, 'file'), 'utf8'), 'contents');
    assert.equal(readFileSync(join(root, 'new/deep/x'), 'utf8'), 'of a root');
    const { mode, uid, gid, mtimeMs, nlink } = lstatSync(join(root, 'real/file'));
    assert.deepEqual([mode & 0o7777, uid, gid, mtimeMs, nlink], [0o4750, 7, 8, 5000.000001, 2]);
    assert.equal(lstatSync(join(root, 'new')).mode & 0o777, 0o700);
    const over = { header: file('real'), from: { file: join(folder, 'source'), offset: 0, size: 8 } };
    await assert.rejects(archiver.placeEntries({ root, entries: [over], signal }), {
      kind: 'invalidArgument',
    });
    assert.equal(readFileSync(join(root, 'real/file'), 'utf8'), 'contents');
  });
});
