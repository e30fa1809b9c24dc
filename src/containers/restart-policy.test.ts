import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restartDelay, startsAtBoot } from './restart-policy.ts';

const exit = {
  exitCode: 1,
  ranFor: 1n,
  restartCount: 0,
  stoppedByUser: false,
  endedUnhealthy: false,
  wasHealthy: false,
  lastDelay: 0,
};
const unhealthy = { ...exit, endedUnhealthy: true, ranFor: 90_000_000_000n, lastDelay: 400 };
const cases: readonly [string, Parameters<typeof restartDelay>, number | undefined][] = [
  ['no', [{ Name: 'no' }, exit], undefined],
  ['always', [{ Name: 'always' }, exit], 100],
  ['always after a stop', [{ Name: 'always' }, { ...exit, stoppedByUser: true }], undefined],
  ['always again', [{ Name: 'always' }, { ...exit, lastDelay: 100 }], 200],
  ['always for the hundredth time', [{ Name: 'always' }, { ...exit, lastDelay: 50_000 }], 60_000],
  [
    'always after a long run',
    [{ Name: 'always' }, { ...exit, lastDelay: 50_000, ranFor: 11_000_000_000n }],
    100,
  ],
  ['no, ended for its health', [{ Name: 'no' }, { ...unhealthy, lastDelay: 0 }], 100],
  ['never healthy for long', [{ Name: 'no' }, unhealthy], 800],
  ['healthy once, for long', [{ Name: 'no' }, { ...unhealthy, wasHealthy: true }], 100],
  ['unhealthy, and stopped', [{ Name: 'no' }, { ...unhealthy, stoppedByUser: true }], undefined],
  ['on-failure after success', [{ Name: 'on-failure' }, { ...exit, exitCode: 0 }], undefined],
  ['on-failure of an unknown exit', [{ Name: 'on-failure' }, { ...exit, exitCode: undefined }], 100],
  [
    'on-failure:2, third',
    [
      { Name: 'on-failure', MaximumRetryCount: 2 },
      { ...exit, restartCount: 2 },
    ],
    undefined,
  ],
];
for (const [name, args, expected] of cases) {
  test(`restartDelay() of ${name}`, () => {
    assert.equal(restartDelay(...args), expected);
  });
}

test('startsAtBoot() starts what the reference engine starts', () => {
  const stopped = { exitCode: 137, restartCount: 0, stoppedByUser: true };
  const failed = { exitCode: 3, restartCount: 1, stoppedByUser: false };
  assert.equal(startsAtBoot({ Name: 'always' }, stopped), true);
  assert.equal(startsAtBoot({ Name: 'unless-stopped' }, stopped), false);
  assert.equal(startsAtBoot({ Name: 'unless-stopped' }, failed), true);
  assert.equal(startsAtBoot({ Name: 'on-failure' }, stopped), true);
  assert.equal(startsAtBoot({ Name: 'on-failure', MaximumRetryCount: 1 }, failed), false);
  assert.equal(startsAtBoot({ Name: 'on-failure' }, { ...failed, exitCode: 0 }), false);
  assert.equal(startsAtBoot({ Name: 'no' }, failed), false);
});
