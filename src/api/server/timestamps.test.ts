import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration, parseUntil } from './timestamps.ts';

test('parseDuration() reads what Go writes', () => {
  assert.equal(parseDuration('1h30m'), 5_400_000_000_000n);
  assert.equal(parseDuration('-1.5s'), -1_500_000_000n);
  assert.equal(parseDuration('10ms5us1ns'), 10_005_001n);
  for (const text of ['', '10', 's', '1d', '1h ']) assert.equal(parseDuration(text), undefined, text);
});

test('parseUntil() reads durations, seconds, dates and times', () => {
  const now = 1_000_000_000_000n;
  assert.equal(parseUntil('10s', now), 990_000_000_000n);
  assert.equal(parseUntil('5.5', now), 5_500_000_000n);
  assert.equal(parseUntil('1970-01-02', now), 86_400_000_000_000n);
  assert.equal(parseUntil('1970-01-01T00:00:01', now), 1_000_000_000n);
  assert.equal(parseUntil('1970-01-01T01:00:01.5+01:00', now), 1_500_000_000n);
  assert.throws(() => parseUntil('x', now), { message: 'failed to parse value as time or duration: "x"' });
});
