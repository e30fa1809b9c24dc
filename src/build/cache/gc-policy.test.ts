import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gcRules, type GcSettings } from './gc-policy.ts';
import { pruneUnused } from './prune-choice.ts';

const plain: GcSettings = {
  ...{ isEnabled: true, policy: undefined, reservedSpace: 0, maxUsedSpace: 0, minFreeSpace: 0 },
};
const gigabyte = 1e9;

test('gcRules() are Docker’s, by the size of the disk', () => {
  const rules = gcRules(plain, 100 * gigabyte);
  assert.deepEqual(
    rules.map(({ keepDuration, all }) => [Number(keepDuration / 3_600_000_000_000n), all]),
    [
      [48, false],
      [1440, false],
      [0, false],
      [0, true],
    ],
  );
  assert.equal(rules[0]?.maxUsedSpace, 1.38 * gigabyte);
  assert.deepEqual(
    rules
      .slice(1)
      .map(({ reservedSpace, maxUsedSpace, minFreeSpace }) => [reservedSpace, maxUsedSpace, minFreeSpace]),
    Array.from({ length: 3 }, () => [10 * gigabyte, 80 * gigabyte, 20 * gigabyte]),
  );
});

test('gcRules() keep to what is said', () => {
  assert.deepEqual(gcRules({ ...plain, isEnabled: false }, gigabyte), []);
  const [, , cap] = gcRules({ ...plain, reservedSpace: 7 }, gigabyte);
  assert.deepEqual(cap, { ...pruneUnused, reservedSpace: 7 });
  const policy = [{ ...pruneUnused, all: true }];
  assert.equal(gcRules({ ...plain, policy }, gigabyte), policy);
});
