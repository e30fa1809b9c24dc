import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { followedPaths } from './followed-paths.ts';
import { FolderFilter } from './folder-filter.ts';
import { walkFolder } from './folder-walk.ts';

let root: string;

before(() => {
  root = mkdtempSync(join(tmpdir(), 'wharf-walk-'));
  for (const folder of ['a/b', 'real/deep', 'empty', 'node_modules/x']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  for (const file of ['a/b/c', 'a/d', 'real/deep/file', 'real/other', 'z', 'node_modules/x/keep', 'é']) {
    writeFileSync(join(root, file), file);
  }
  symlinkSync('real/deep', join(root, 'link'));
  symlinkSync('/real/other', join(root, 'absolute'));
  symlinkSync('../../etc/passwd', join(root, 'out'));
  symlinkSync('loop', join(root, 'loop'));
});
after(() => rmSync(root, { recursive: true }));

const walked = (include: readonly string[], exclude: readonly string[] = []): string[] =>
  [...walkFolder(root, new FolderFilter({ include, exclude }))].map(({ path }) => path);

test('followedPaths() adds what symbolic links lead to, within the folder', () => {
  assert.deepEqual(followedPaths(root, ['a/b']), ['a/b']);
  assert.deepEqual(followedPaths(root, ['link/file']), ['link', 'real/deep/file']);
  assert.deepEqual(followedPaths(root, ['absolute']), ['absolute', 'real/other']);
  assert.deepEqual(followedPaths(root, ['out']), ['etc/passwd', 'out']);
  assert.deepEqual(followedPaths(root, ['loop']), ['loop']);
  assert.deepEqual(followedPaths(root, ['ab*']), ['ab*', 'real/other']);
  assert.deepEqual(followedPaths(root, ['a', 'a/d', './z']), ['a', 'z']);
  assert.deepEqual(followedPaths(root, ['.', 'a']), []);
});

test('walkFolder() yields folders before what is in them, in the order of bytes', () => {
  assert.deepEqual(walked([]), [
    ...['a', 'a/b', 'a/b/c', 'a/d', 'absolute', 'empty', 'link', 'loop'],
    ...['node_modules', 'node_modules/x', 'node_modules/x/keep', 'out'],
    ...['real', 'real/deep', 'real/deep/file', 'real/other', 'z', 'é'],
  ]);
});

test('walkFolder() yields folders that are not asked for only where something in them is', () => {
  assert.deepEqual(walked(['a/b/c', 'real/*/none']), ['a', 'a/b', 'a/b/c']);
  assert.deepEqual(walked(['real'], ['real/deep']), ['real', 'real/other']);
  assert.deepEqual(walked([], ['*', '!node_modules/x/keep', '!z']), [
    'node_modules',
    'node_modules/x',
    'node_modules/x/keep',
    'z',
  ]);
  assert.deepEqual(walked(['**/c']), ['a', 'a/b', 'a/b/c']);
});
