import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topOf, type BuiltLayer, type LayerStack } from '#images';
import { digestOf, mediaTypes, type Digest } from '#oci';
import {
  readCacheConfig,
  readInlineCache,
  writeCacheConfig,
  writeInlineCache,
  type SharedStep,
} from './cache-config.ts';

const digest = (name: string): Digest => digestOf(Buffer.from(name));
const layer = (name: string): BuiltLayer => ({
  diffId: digest(name),
  blob: { mediaType: mediaTypes.ociLayerGzip, digest: digest(`blob of ${name}`), size: name.length },
  createdAt: '2026-01-02T03:04:05Z',
});
const step = (key: string, layers: LayerStack, isShared = true): SharedStep => ({
  key: key.repeat(64),
  chain: topOf(layers) ?? digest(''),
  layers: isShared ? layers : undefined,
});

const base = layer('base');
const steps = [
  step('a', [base, layer('one')]),
  step('b', [base, layer('one'), layer('two')]),
  step('c', [base, layer('other')]),
  step('d', [layer('elsewhere')], false),
];

test('writeCacheConfig() names each layer once, readCacheConfig() reads the same steps', () => {
  const mount = {
    folder: 'e'.repeat(64),
    name: '/root/.cache',
    blob: { mediaType: mediaTypes.ociLayerGzip, digest: digest('mount'), size: 3 },
  };
  const { text, blobs } = writeCacheConfig({ steps, mounts: [mount] });
  assert.deepEqual(
    blobs.map((blob) => blob.digest),
    ['blob of base', 'blob of one', 'blob of two', 'blob of other', 'mount'].map(digest),
  );
  assert.deepEqual(readCacheConfig(text), { steps, mounts: [mount] });
});

test('readCacheConfig() leaves out what is not whole', () => {
  const { text } = writeCacheConfig({ steps, mounts: [] });
  const config = JSON.parse(text) as { layers: { parent: number }[]; records: { chain?: string }[] };
  const [first] = config.layers;
  assert.ok(first);
  first.parent = 7;
  for (const record of config.records) delete record.chain;
  assert.deepEqual(readCacheConfig(JSON.stringify(config)).steps, []);
  assert.deepEqual(readCacheConfig('{"layers":[{"blob":"x"}],"records":[{"digest":"y"}]}').steps, []);
  assert.throws(() => readCacheConfig('x'), /no JSON/);
});

test('writeInlineCache() says which layers of an image its steps made', () => {
  const image = [base, layer('one'), layer('two')];
  const text = writeInlineCache(steps, image);
  assert.deepEqual(
    readInlineCache(text, image).steps.map(({ layers }) => layers?.length),
    [2, 3, undefined, undefined],
  );
  assert.deepEqual(
    readInlineCache(text, image).steps.map(({ chain }) => chain),
    steps.map(({ chain }) => chain),
  );
});
