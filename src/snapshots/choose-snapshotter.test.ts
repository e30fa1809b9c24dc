import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mountOverlay, unmount } from '#linux';
import { whyNoOverlay } from './index.ts';

test('whyNoOverlay() tells a folder that can hold layers from one that cannot', () => {
  const base = mkdtempSync(join(tmpdir(), 'wharf-probe-'));
  const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => {
    mkdirSync(join(base, name));
    return join(base, name);
  }) as [string, string, string, string];
  mountOverlay({ lower: [lower], upper, work, target: merged });
  try {
    assert.equal(whyNoOverlay(lower), undefined);
    // An overlay cannot be the upper folder of another.
    assert.equal(typeof whyNoOverlay(merged), 'string');
    assert.deepEqual([readdirSync(lower), readdirSync(merged)], [[], []]);
  } finally {
    unmount(merged);
    rmSync(base, { recursive: true });
  }
});
