import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RootMounts } from './root-mounts.ts';

test('RootMounts() mounts for the first user and unmounts after the last', async () => {
  const roots = new RootMounts();
  const seen: string[] = [];
  const mounts = (what: string) => (): void => void seen.push(what);
  const unmounts = (what: string) => async (): Promise<void> => {
    seen.push(what);
    await Promise.resolve();
  };
  await Promise.all([
    roots.acquire('a', 'run', mounts('mount a')),
    roots.acquire('a', 'copy', mounts('mount a')),
  ]);
  await roots.acquire('b', 'copy', mounts('mount b'));
  assert.deepEqual(seen.splice(0).sort(), ['mount a', 'mount b']);
  await roots.release('a', 'run', unmounts('unmount a'));
  await roots.acquire('a', 'run', mounts('mount a'));
  await roots.release('a', 'copy', unmounts('unmount a'));
  assert.deepEqual(seen, []);
  await roots.release('a', 'run', unmounts('unmount a'));
  assert.deepEqual(seen, ['unmount a']);
});

test('release() of a use that began before a restart unmounts; a mount that failed leaves no user', async () => {
  const roots = new RootMounts();
  let unmounted = 0;
  const unmount = async (): Promise<void> => {
    unmounted += 1;
    await Promise.resolve();
  };
  await roots.release('a', 'run', unmount);
  assert.equal(unmounted, 1);
  const broken = (): void => {
    throw new Error('no space');
  };
  await assert.rejects(roots.acquire('a', 'copy', broken), /no space/);
  await roots.release('a', 'run', unmount);
  assert.equal(unmounted, 2);
});
