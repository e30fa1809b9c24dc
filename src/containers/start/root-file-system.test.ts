import assert from 'node:assert/strict';
import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openMountPoint } from './root-file-system.ts';

function openedAt(root: string, path: string, kind: 'folder' | 'file'): string | undefined {
  const fd = openMountPoint(root, path, kind);
  if (fd === undefined) return undefined;
  const at = readlinkSync(`/proc/self/fd/${fd}`);
  closeSync(fd);
  return at;
}

test('openMountPoint() makes what is missing and never leaves the root', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-root-'));
  try {
    const root = join(folder, 'root');
    mkdirSync(join(root, 'real'), { recursive: true });
    writeFileSync(join(root, 'file'), '');
    symlinkSync('/real', join(root, 'link'));
    symlinkSync('../../..', join(root, 'climb'));
    assert.equal(openedAt(root, '/real', 'folder'), join(root, 'real'));
    assert.equal(openedAt(root, '/new/deep', 'folder'), join(root, 'new/deep'));
    assert.ok(lstatSync(join(root, 'new/deep')).isDirectory());
    assert.equal(openedAt(root, '/other/deep', 'file'), join(root, 'other/deep'));
    assert.ok(lstatSync(join(root, 'other/deep')).isFile());
    assert.equal(openedAt(root, '/link/x', 'folder'), join(root, 'real/x'));
    assert.equal(openedAt(root, '/climb/x', 'folder'), join(root, 'x'));
    assert.equal(openedAt(root, '/file/x', 'folder'), undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
