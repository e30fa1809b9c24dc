import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageHolding } from '#images';
import type { Digest } from '#oci';
import type { BinEntry } from './disk.ts';
import { keysOf, layerKey, Ledger } from './ledger.ts';
import { planCollection, type CollectorRules, type Findings } from './plan.ts';

const id = (name: string): Digest => `sha256:${name}` as Digest; // only compared

function image(
  name: string,
  tags: readonly string[],
  layers: readonly string[],
  retired = false,
): ImageHolding {
  return {
    id: id(name),
    names: tags,
    tags,
    chainIds: layers.map(id),
    blobs: new Set(),
    lastTaggedAt: undefined,
    ...(retired && { retired: { at: 1n, batch: 'b' } }),
  };
}

const sizes = new Map(
  Object.entries({ base: 100, a: 1, b: 2, c: 4, d: 8, lost: 50 }).map(([name, size]) => [
    layerKey(id(name)),
    size,
  ]),
);

function findings(images: readonly ImageHolding[], changes: Partial<Findings> = {}): Findings {
  const ledger = new Ledger(sizes);
  for (const one of images) ledger.hold(keysOf(one));
  const uses: Readonly<Record<string, bigint>> = { 'sha256:a': 30n, 'sha256:b': 20n, 'sha256:c': 10n };
  return {
    now: 1000n,
    bin: [],
    partial: 0,
    kept: 0,
    cache: [],
    images,
    users: [],
    lastUse: (one) => uses[one.id] ?? 40n,
    ledger,
    ...changes,
  };
}

const rules: CollectorRules = { tagged: false, taggedPatterns: [], minimumAge: 100n };

test('what nobody needs goes first, then the bin by age, build cache, untagged images by last use', () => {
  const images = [
    image('a', [], ['base', 'a']),
    image('b', [], ['base', 'b']),
    image('c', ['c:1'], ['base', 'c']),
    image('d', ['d:1'], ['base', 'd'], true),
  ];
  const volume: BinEntry = {
    kind: 'volume',
    id: '123456789012',
    names: ['data'],
    bytes: 7,
    at: 2n,
    until: 999n,
    batch: 'b',
  };
  const old: BinEntry = { ...volume, kind: 'image', id: 'sha256:d', names: ['d:1'], at: 1n, until: 2000n };
  const entry = { parents: [], kind: 'regular', createdAt: 1n, uses: 1, inUse: false, isShared: false };
  const cache = [
    { ...entry, id: 'below', description: 'COPY . .', bytes: 4, usedAt: 5n },
    { ...entry, id: 'step', parents: ['below'], description: 'RUN make', bytes: 3, usedAt: 5n },
    { ...entry, id: 'working', description: 'RUN sleep', bytes: 3, usedAt: 5n, inUse: true },
    { ...entry, id: 'shared', description: 'RUN true', bytes: 3, usedAt: 5n, isShared: true },
  ];
  const plan = planCollection(findings(images, { bin: [old, volume], partial: 9, kept: 6, cache }), rules);
  const shown = (steps: typeof plan.free): unknown => steps.map((step) => [step.kind, step.id, step.bytes]);
  assert.deepEqual(shown(plan.free), [
    ['bin', '123456789012', 7],
    ['layers', 'layers', 50],
  ]);
  assert.deepEqual(shown(plan.needed), [
    ['bin', 'sha256:d', 8],
    ['partial downloads', 'partial', 9],
    ['layers', 'kept', 6],
    ['build cache', 'step', 3],
    ['build cache', 'below', 4],
    ['image', 'sha256:b', 2],
    ['image', 'sha256:a', 1],
  ]);
  assert.deepEqual(
    plan.kept.map((step) => [step.id, step.reason]),
    [['sha256:c', 'it has a tag']],
  );
});

test('images that are used, were used just now, or have tags that are not given free stay', () => {
  const images = [
    image('a', [], ['base', 'a']),
    image('b', ['ci/b:1', 'ci/x/b:2'], ['base', 'b']),
    image('c', ['ci/c:1', 'mine:1'], ['base', 'c']),
    image('d', [], ['base', 'd']),
  ];
  const found = findings(images, { now: 130n, users: [{ id: 'x', name: 'web', images: [id('a')] }] });
  const plan = planCollection(found, { tagged: true, taggedPatterns: ['ci/*'], minimumAge: 100n });
  assert.deepEqual(
    plan.needed.map((step) => [step.id, step.bytes, step.lastUsed]),
    [['sha256:b', 2, 20n]],
  );
  assert.deepEqual(
    plan.kept.map((step) => [step.id, step.reason]),
    [
      ['sha256:a', 'the container web uses it'],
      ['sha256:c', 'it has a tag that the configuration does not give free'],
      ['sha256:d', 'it was used just now'],
    ],
  );
});
