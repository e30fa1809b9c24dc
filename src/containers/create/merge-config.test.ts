import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeConfig } from './merge-config.ts';

const image = {
  Entrypoint: ['/entry'],
  Cmd: ['serve'],
  Env: ['PATH=/bin', 'MODE=image'],
  Labels: { a: '1', b: '1' },
};

const commands: readonly [string, object, readonly string[] | null, readonly string[] | null][] = [
  ['nothing', {}, ['/entry'], ['serve']],
  ['a command', { Cmd: ['other'] }, ['/entry'], ['other']],
  ['an entrypoint', { Entrypoint: ['/mine'] }, ['/mine'], null],
  ['both', { Entrypoint: ['/mine'], Cmd: ['x'] }, ['/mine'], ['x']],
  ['an empty entrypoint', { Entrypoint: [''], Cmd: ['sh'] }, null, ['sh']],
];
for (const [name, request, entrypoint, cmd] of commands) {
  test(`mergeConfig() with ${name} of one's own`, () => {
    const merged = mergeConfig(request, image);
    assert.deepEqual([merged.Entrypoint, merged.Cmd], [entrypoint, cmd]);
  });
}

test('mergeConfig() lets the request win by name', () => {
  const merged = mergeConfig({ Env: ['MODE=mine', 'NEW=1'], Labels: { b: '2' } }, image);
  assert.deepEqual([...(merged.Env ?? [])].sort(), ['MODE=mine', 'NEW=1', 'PATH=/bin']);
  assert.deepEqual(merged.Labels, { a: '1', b: '2' });
});

test('mergeConfig() refuses a container with nothing to run', () => {
  assert.throws(() => mergeConfig({}, {}), /no command specified/);
});

test('mergeConfig() refuses a relative working directory', () => {
  assert.throws(
    () => mergeConfig({ WorkingDir: 'rel' }, image),
    /the working directory 'rel' is invalid, it needs to be an absolute path/,
  );
});
