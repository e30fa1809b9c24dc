import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CacheUsage } from './cache-usage.ts';
import { choosePruned, pruneUnused, type PruneRules } from './prune-choice.ts';

const record = (id: string, usedAt: bigint, changes: Partial<CacheUsage> = {}): CacheUsage => ({
  ...{ id, parents: [], kind: 'regular', description: id, bytes: 10, createdAt: 0n, usedAt, uses: 1 },
  ...{ inUse: false, isShared: false, isMutable: false },
  ...changes,
});

/** A base that images share, two steps on it, a cache mount, and a step that a build works with. */
const records = [
  record('base', 50n, { isShared: true }),
  record('first', 50n, { parents: ['base'] }),
  record('second', 50n, { parents: ['first'] }),
  record('old', 10n, { parents: ['base'] }),
  record('mount', 20n, { kind: 'exec.cachemount' }),
  record('working', 5n, { inUse: true }),
];

const chosen = (rules: Partial<PruneRules>, freeSpace = 0): readonly string[] =>
  choosePruned(records, { ...pruneUnused, ...rules }, { now: 100n, freeSpace }).map(({ id }) => id);

test('choosePruned() takes what nobody uses, children before what they stand on', () => {
  assert.deepEqual(chosen({}), ['old', 'mount', 'second', 'first']);
  assert.deepEqual(chosen({ all: true }), ['old', 'mount', 'second', 'first', 'base']);
});

test('choosePruned() takes what fits the filter and was not used for so long', () => {
  assert.deepEqual(chosen({ filters: ['type==exec.cachemount'] }), ['mount']);
  assert.deepEqual(chosen({ keepDuration: 60n }), ['old', 'mount']);
  // Another one stands on it.
  assert.deepEqual(chosen({ filters: ['id==first'] }), []);
});

test('choosePruned() takes the least recently used until few enough bytes are left', () => {
  // Of 50 bytes that are not shared.
  assert.deepEqual(chosen({ maxUsedSpace: 30 }), ['old', 'mount']);
  assert.deepEqual(chosen({ reservedSpace: 35 }), ['old', 'mount']);
  assert.deepEqual(chosen({ maxUsedSpace: 30, reservedSpace: 45 }), ['old']);
  assert.deepEqual(chosen({ minFreeSpace: 115 }, 100), ['old', 'mount']);
  assert.deepEqual(chosen({ minFreeSpace: 90 }, 100), []);
});
