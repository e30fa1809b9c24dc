import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BuiltLayer } from '#images';
import type { Digest, ImageConfig } from '#oci';
import { configOf } from './image-config.ts';

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}` as Digest;
const layer = (digit: string, createdAt?: string): BuiltLayer => ({
  diffId: digest(digit),
  blob: { mediaType: '', digest: digest(digit), size: 1 },
  ...(createdAt !== undefined && { createdAt }),
});

const base: ImageConfig = {
  os: 'linux',
  architecture: 'amd64',
  created: '2030-01-01T00:00:00Z',
  rootfs: { type: 'layers', diff_ids: [digest('1')] },
};
const planned = {
  os: 'linux',
  architecture: 'amd64',
  config: {},
  history: [
    { created: '2030-01-01T00:00:00Z', created_by: 'base' },
    { created_by: 'RUN' },
    { created_by: 'ENV', empty_layer: true },
  ],
  inheritedHistory: 1,
};
const layers = [layer('1'), layer('2', '2026-05-05T00:00:00.5Z')];
const now = '2026-06-06T00:00:00Z';

const made = (options: Partial<Parameters<typeof configOf>[3]>): ImageConfig =>
  // Written by configOf().
  JSON.parse(configOf(planned, layers, base, { now, ...options })) as ImageConfig;

test('configOf() gives steps the times of their layers', () => {
  const { created, history } = made({});
  assert.equal(created, '2026-05-05T00:00:00.5Z');
  assert.deepEqual(
    history?.map((entry) => entry.created),
    ['2030-01-01T00:00:00Z', '2026-05-05T00:00:00.5Z', '2026-05-05T00:00:00.5Z'],
  );
});

test('configOf() with an epoch is no later, but for what came with the base', () => {
  const { created, history } = made({ epoch: 1_700_000_000 });
  assert.equal(created, '2023-11-14T22:13:20Z');
  assert.deepEqual(
    history?.map((entry) => entry.created),
    ['2030-01-01T00:00:00Z', '2023-11-14T22:13:20Z', '2023-11-14T22:13:20Z'],
  );
  assert.equal(made({ epoch: 1_900_000_000 }).created, '2026-05-05T00:00:00.5Z');
});

test('configOf() of a squashed image has one entry for its layer', () => {
  const { history = [] } = made({ isSquashed: true });
  assert.deepEqual(
    history.map((entry) => entry.empty_layer === true),
    [false, true, true, false],
  );
  assert.match(history.at(-1)?.comment ?? '', /^merge sha256:[0-9a-f]{64}$/);
});
