import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CgroupMoves, ownCgroupProcs } from './cgroup-move.ts';

test('ownCgroupProcs() is a file that names this process', () => {
  const pids = readFileSync(ownCgroupProcs() ?? '', 'latin1').split('\n');
  assert.ok(pids.includes(String(process.pid)));
});

test('expect() leaves the process where it is', async () => {
  const before = readFileSync('/proc/self/cgroup', 'latin1');
  const moves = new CgroupMoves();
  moves.expect();
  moves.expect();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(readFileSync('/proc/self/cgroup', 'latin1'), before);
});
