import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HealthRecord } from '../container-record.ts';
import { afterResult, goDuration, healthCheckOf, startingHealth } from './health-check.ts';

const check = healthCheckOf({ Healthcheck: { Test: ['CMD', 'probe'], Retries: 2 } })!;
const result = (ExitCode: number) => ({ Start: '', End: '', ExitCode, Output: '' });
const feed = (codes: readonly number[], starting = false): HealthRecord =>
  codes.reduce(
    (health, code) => afterResult(health, result(code), check, starting),
    startingHealth(undefined),
  );

test('healthCheckOf() reads commands and shells, and takes NONE for none', () => {
  assert.deepEqual(check.command, ['probe']);
  assert.deepEqual(healthCheckOf({ Healthcheck: { Test: ['CMD-SHELL', 'a && b'] } })?.command, [
    '/bin/sh',
    '-c',
    'a && b',
  ]);
  assert.equal(healthCheckOf({ Healthcheck: { Test: ['NONE'] } }), undefined);
  assert.equal(healthCheckOf({}), undefined);
});

const cases: readonly [readonly number[], boolean, string, number][] = [
  [[0], false, 'healthy', 0],
  [[1], false, 'starting', 1],
  [[1, 1], false, 'unhealthy', 2],
  [[1, 1, 0], false, 'healthy', 0],
  [[1, 1, 1], true, 'starting', 0],
  [[0, 1, 1], true, 'unhealthy', 2],
];
for (const [codes, starting, status, streak] of cases) {
  test(`afterResult() of ${codes.join(' ')}${starting ? ' in the start period' : ''} is ${status}`, () => {
    const health = feed(codes, starting);
    assert.deepEqual([health.status, health.failingStreak], [status, streak]);
  });
}

test('afterResult() keeps five results', () => {
  assert.equal(feed([0, 0, 0, 0, 0, 0, 0]).log.length, 5);
});

test('goDuration() writes spans as Go does', () => {
  const spans = [250, 1000, 1500, 60_000, 90_000, 3_600_000, 5_025_500];
  const texts = ['250ms', '1s', '1.5s', '1m0s', '1m30s', '1h0m0s', '1h23m45.5s'];
  assert.deepEqual(spans.map(goDuration), texts);
});

test('startingHealth() keeps the results of earlier runs', () => {
  const before: HealthRecord = { status: 'unhealthy', failingStreak: 3, log: [result(1)] };
  assert.deepEqual(startingHealth(before), { status: 'starting', failingStreak: 0, log: [result(1)] });
});
