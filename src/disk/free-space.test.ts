import assert from 'node:assert/strict';
import { statfsSync } from 'node:fs';
import { test } from 'node:test';
import { parseAmount, readFreeSpace } from './free-space.ts';

test('parseAmount() reads shares and sizes', () => {
  assert.deepEqual(parseAmount('10%'), { percent: 10 });
  assert.deepEqual(parseAmount('20GB'), { bytes: 20e9 });
  assert.deepEqual(parseAmount('1.5 m'), { bytes: 1.5e6 });
  assert.deepEqual(parseAmount('0'), { bytes: 0 });
  for (const wrong of ['', '101%', 'x', '-1', '10 %']) {
    assert.throws(() => parseAmount(wrong), { kind: 'invalidArgument' }, wrong);
  }
});

test('readFreeSpace() bounds shares, and the high mark is never below the low one', () => {
  const { blocks, bsize } = statfsSync('/');
  const total = blocks * bsize;
  const space = readFreeSpace('/', { low: { percent: 10, most: 1000 }, high: { bytes: 7 } });
  assert.deepEqual([space.total, space.low, space.high], [total, 1000, 1000]);
  const off = readFreeSpace('/', { low: { bytes: 0 }, high: { percent: 50 } });
  assert.deepEqual([off.low, off.high], [0, 0]);
});
