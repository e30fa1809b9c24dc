import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { BuildHistoryRecordSchema } from '#buildkit';
import { historyFilter } from './history-filter.ts';

const now = Date.parse('2026-11-22T12:00:00Z');
const failed = create(BuildHistoryRecordSchema, {
  ref: 'abc',
  frontendAttrs: { 'vcs:source': 'https://example.com/r.git' },
  createdAt: timestampFromMs(now - 60_000),
  completedAt: timestampFromMs(now - 50_000),
  error: { code: 2, message: 'no' },
});

for (const [filter, expected] of [
  ['ref==abc', true],
  ['ref=ab', false],
  ['ref~=^a', true],
  ['status==error', true],
  ['status!=error', false],
  ['repository=https://example.com/r.git', true],
  ['startedAt>5m', true],
  ['startedAt>30s', false],
  ['completedAt<2026-11-22T11:59:30Z', true],
  ['duration>=10s', true],
  ['duration<10s', false],
  ['status==error,ref==abc', true],
  ['status==error,ref==x', false],
  ['"status==canceled,completed"', false],
] as const) {
  test(`historyFilter() finds that ${filter} is ${expected}`, () => {
    assert.equal(historyFilter([filter], now)(failed), expected);
  });
}

test('historyFilter() takes what fits any filter, and everything without one', () => {
  assert.equal(historyFilter([], now)(failed), true);
  assert.equal(historyFilter(['ref=x', 'ref=abc'], now)(failed), true);
});

for (const filter of ['foo=bar', 'ref>1', 'startedAt>x', 'duration>', 'ref~=(', '']) {
  test(`historyFilter() refuses ${filter || 'nothing'}`, () => {
    assert.throws(() => historyFilter([filter], now), { kind: 'invalidArgument' });
  });
}
