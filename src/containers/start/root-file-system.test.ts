import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mountPointInRoot } from './root-file-system.ts';

test('mountPointInRoot() makes what is missing and never leaves the root', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-root-'));
  try {
    const root = join(folder, 'root');
    mkdirSync(join(root, 'real'), { recursive: true });
    writeFileSync(join(root, 'file'), '');
    symlinkSync('/real', join(root, 'link'));
    symlinkSync('../../..', join(root, 'climb'));
    assert.equal(mountPointInRoot(root, '/real', 'folder'), join(root, 'real'));
    assert.equal(mountPointInRoot(root, '/new/deep', 'folder'), join(root, 'new/deep'));
    assert.ok(lstatSync(join(root, 'new/deep')).isDirectory());
    assert.equal(mountPointInRoot(root, '/other/deep', 'file'), join(root, 'other/deep'));
    assert.ok(lstatSync(join(root, 'other/deep')).isFile());
    assert.equal(mountPointInRoot(root, '/link/x', 'folder'), join(root, 'real/x'));
    assert.equal(mountPointInRoot(root, '/climb/x', 'folder'), join(root, 'x'));
    assert.equal(mountPointInRoot(root, '/file/x', 'folder'), undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
