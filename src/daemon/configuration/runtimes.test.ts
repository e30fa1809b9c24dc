import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFile } from './parse-settings.ts';
import { parseRuntimes } from './runtimes.ts';

/** As the runtimes of daemon.json are read. */
const fromFile = (runtimes: object) => {
  const { runtimes: read } = parseFile('daemon.json', JSON.stringify({ runtimes }));
  // That setting is of the kind `pairs`.
  return parseRuntimes(read as Readonly<Record<string, string>>);
};

test('parseRuntimes() takes paths of flags and entries of daemon.json', () => {
  assert.deepEqual(parseRuntimes({ mine: '/opt/mine' }), { mine: { path: '/opt/mine', args: [] } });
  assert.deepEqual(fromFile({ mine: { path: 'crun', runtimeArgs: ['--debug'] } }), {
    mine: { path: 'crun', args: ['--debug'] },
  });
});

test('parseRuntimes() refuses what it cannot start', () => {
  for (const [runtimes, message] of [
    [{ runc: { path: '/x' } }, /runtime name 'runc' is reserved/],
    [{ kata: { runtimeType: 'io.containerd.kata.v2' } }, /runtime kata: runtimeType is not supported/],
    [{ none: {} }, /runtime none: it needs a path/],
    [
      { odd: { path: '/x', runtimeArgs: 'y' } },
      /runtime odd: it needs a path, and runtimeArgs that are texts/,
    ],
  ] as const) {
    assert.throws(() => fromFile(runtimes), { kind: 'invalidArgument', message });
  }
});
