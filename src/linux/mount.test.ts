import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import {
  bindMount,
  findMount,
  listMounts,
  makePrivate,
  mountOverlay,
  mountTmpfs,
  parseMountInfo,
  unmakePrivate,
  unmount,
  unmountBelow,
  unmountIfMounted,
} from './index.ts';

let root = '';
const folder = (...names: string[]): string => {
  const path = join(root, ...names);
  mkdirSync(path, { recursive: true });
  return path;
};
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wharf-mount-'));
});
afterEach(() => {
  unmountBelow(root);
  assert.equal(listMounts().filter(({ target }) => target.startsWith(root)).length, 0);
  rmSync(root, { recursive: true });
});

test('bindMount() shows a folder elsewhere, read-only if asked', () => {
  const source = folder('source');
  const target = folder('target');
  bindMount(source, target, { readonly: true });
  writeFileSync(join(source, 'a'), 'x');
  assert.equal(readFileSync(join(target, 'a'), 'utf8'), 'x');
  assert.throws(() => writeFileSync(join(target, 'b'), ''), { code: 'EROFS' });
  unmount(target);
  assert.throws(() => unmount(target), { code: 'EINVAL', syscall: 'umount2' });
  unmountIfMounted(target);
  unmountIfMounted(join(root, 'missing'));
});

test('makePrivate() makes a private mount point once', () => {
  const path = folder('private');
  makePrivate(path);
  makePrivate(path);
  const mounts = listMounts().filter(({ target }) => target === path);
  assert.equal(mounts.length, 1);
  assert.deepEqual(mounts[0]?.tags, []);
});

test('mountTmpfs() takes size and mode, and names with spaces are listed', () => {
  const path = folder('with space ü');
  mountTmpfs(path, { data: 'size=64k,mode=1777' });
  assert.equal(statSync(path).mode & 0o7777, 0o1777);
  assert.equal(findMount(path)?.type, 'tmpfs');
});

test('mountOverlay() stacks 128 layers under long paths and refuses 129', () => {
  const long = 'x'.repeat(200);
  const lower = Array.from({ length: 128 }, (_, index) => {
    const path = folder(long, String(index));
    writeFileSync(join(path, `f${index}`), String(index));
    writeFileSync(join(path, 'top'), String(index));
    return path;
  });
  const [upper, work, target] = [folder('upper'), folder('work'), folder('merged')];
  mountOverlay({ lower, upper, work, target });
  assert.equal(readdirSync(target).length, 129);
  assert.equal(readFileSync(join(target, 'top'), 'utf8'), '0');
  writeFileSync(join(target, 'new'), '1');
  assert.deepEqual(readdirSync(upper), ['new']);
  assert.match(findMount(target)?.superOptions.join() ?? '', /redirect_dir=off|^(?!.*redirect_dir)/);
  assert.throws(() => mountOverlay({ lower: [...lower, upper], target }), /limit is 128 layers/);
});

test('mountOverlay() mounts a folder again that was mounted before without flushing', () => {
  const [lower, upper, work, target] = [folder('base'), folder('upper'), folder('work'), folder('target')];
  const mountOnce = (name: string): void => {
    mountOverlay({ lower: [lower], upper, work, target, volatile: true });
    writeFileSync(join(target, name), name);
    assert.ok(findMount(target)?.superOptions.some((option) => option.endsWith('volatile')));
    unmount(target);
  };
  mountOnce('a');
  mountOnce('b');
  assert.deepEqual(readdirSync(upper), ['a', 'b']);
});

test('mountOverlay() without upper is read-only', () => {
  const [one, two, target] = [folder('one'), folder('two'), folder('merged')];
  writeFileSync(join(one, 'a'), '1');
  writeFileSync(join(two, 'a'), '2');
  mountOverlay({ lower: [one, two], target, readonly: true });
  assert.equal(readFileSync(join(target, 'a'), 'utf8'), '1');
  assert.throws(() => writeFileSync(join(target, 'b'), ''), { code: 'EROFS' });
  unmount(target);
  mountOverlay({ lower: [two], target });
  assert.throws(() => writeFileSync(join(target, 'b'), ''), { code: 'EROFS' });
});

test('parseMountInfo() reads every field', () => {
  const line = '36 35 98:0 /mnt1 /mnt\\040two rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n';
  assert.deepEqual(parseMountInfo(`${line}rubbish\n`), [
    {
      id: 36,
      parent: 35,
      device: '98:0',
      root: '/mnt1',
      target: '/mnt two',
      options: ['rw', 'noatime'],
      tags: ['master:1'],
      type: 'ext3',
      source: '/dev/root',
      superOptions: ['rw', 'errors=continue'],
    },
  ]);
});

test('unmakePrivate() takes the bind of makePrivate() away and leaves a disk of its own', () => {
  const path = folder('disk');
  makePrivate(path);
  assert.ok(findMount(path));
  unmakePrivate(path);
  assert.equal(findMount(path), undefined);
  mountTmpfs(path);
  makePrivate(path);
  unmakePrivate(path);
  assert.equal(findMount(path)?.type, 'tmpfs');
});
