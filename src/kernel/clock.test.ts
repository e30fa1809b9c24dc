import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from './clock.ts';

test('systemClock never repeats itself and is never behind the wall clock', () => {
  const end = Date.now() + 20;
  for (let before = 0n; Date.now() < end;) {
    const wall = BigInt(Date.now()) * 1_000_000n;
    const now = systemClock.now();
    assert.ok(now >= wall && now > before);
    before = now;
  }
});
