import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolders } from './make-folders.ts';

test('makeFolders() makes what is missing and takes what is there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-kernel-'));
  try {
    const path = join(folder, 'a/b/c');
    await makeFolders(path, 0o755);
    await makeFolders(path, 0o755);
    assert.equal((await stat(path)).isDirectory(), true);
    await writeFile(join(folder, 'file'), '');
    await assert.rejects(makeFolders(join(folder, 'file'), 0o755), { code: 'EEXIST' });
    await assert.rejects(makeFolders(join(folder, 'file/x'), 0o755), { code: 'ENOTDIR' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('makeFolders() ends where no folder can be made', { timeout: 5_000 }, async () => {
  await assert.rejects(makeFolders('/proc/nope/x/y', 0o755), { code: 'ENOENT' });
});
