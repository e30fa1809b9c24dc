import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BuildClaim, ImageRecord, LayerStack } from '#images';
import { notFound } from '#kernel';
import { hostPlatform, type Digest } from '#oci';
import { lines } from './dockerfile/location.ts';
import { BaseLookup, type BaseImages, type HoldImage } from './base-images.ts';

const { signal } = new AbortController();
const platform = hostPlatform();
const wanted = { key: 'k', reference: 'base', platform, written: 'base', location: lines(1) };
const idOf = (name: string): Digest => `sha256:${name}` as Digest; // only compared
const imageOf = (name: string): ImageRecord =>
  ({ id: idOf(name), config: { name } }) as unknown as ImageRecord; // what a lookup reads of it
const layers: LayerStack = [];
const claim = {} as BuildClaim; // only layouts need it

const lookup = (names: readonly string[], hold: HoldImage): BaseLookup => {
  const left = [...names];
  const base: BaseImages = {
    resolve: () => {
      const name = left.shift();
      return name === undefined ? Promise.reject(notFound('No such image')) : Promise.resolve(imageOf(name));
    },
  };
  return new BaseLookup({ base, pull: false, signal }, hold);
};

test('resolve() holds the image, whose removal then takes nothing from the build', async () => {
  const held: string[] = [];
  const bases = lookup(['one'], (id) => {
    held.push(id);
    return Promise.resolve(layers);
  });
  await bases.resolve(wanted);
  assert.deepEqual(held, ['sha256:one']);
  // It is not asked for again.
  assert.equal(await bases.layersOf('base', platform, claim), layers);
});

test('resolve() looks again for an image that was removed before it was held', async () => {
  const bases = lookup(['removed', 'two'], (id) => Promise.resolve(id === idOf('two') ? layers : undefined));
  assert.deepEqual((await bases.resolve(wanted)).config, { name: 'two' });
  await assert.rejects(lookup(['removed'], () => Promise.resolve(undefined)).resolve(wanted), {
    kind: 'notFound',
  });
  await assert.rejects(
    lookup(
      Array.from({ length: 100 }, () => 'broken'),
      () => Promise.resolve(undefined),
    ).resolve(wanted),
    /the layers of the image base are gone/,
  );
});
