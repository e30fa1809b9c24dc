import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutputLimit } from './output-limit.ts';

test('take() lets the beginning through and says once that the rest is missing', () => {
  const limit = new OutputLimit();
  const line = Buffer.from(`${'x'.repeat(1023)}\n`);
  const told = Array.from({ length: 10_000 }, () => limit.take(line)).flat();
  const text = Buffer.concat(told).toString();
  assert.equal(text.length, 4 * 1024 * 1024 + '\n[output clipped, log limit 4MiB reached]\n'.length);
  assert.match(text.slice(-100), /x\n\n\[output clipped, log limit 4MiB reached\]\n$/);
});
