import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { spreadSubfolders } from './folder-spread.ts';

test('spreadSubfolders() sets the flag of ext4, keeps others, and leaves other file systems alone', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'spread-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const kind = execFileSync('stat', ['-f', '-c', '%T', folder], { encoding: 'utf8' }).trim();
  const flags = (): string =>
    execFileSync('lsattr', ['-d', folder], { encoding: 'utf8' }).split(' ')[0] ?? '';
  spreadSubfolders('/proc/self');
  if (kind !== 'ext2/ext3') {
    spreadSubfolders(folder);
    return;
  }
  execFileSync('chattr', ['+d', folder]);
  for (let times = 0; times < 2; times += 1) {
    spreadSubfolders(folder);
    assert.match(flags(), /d.*T/);
  }
});
