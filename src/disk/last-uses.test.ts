import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventBroker } from '#events';
import { Database } from '#metadata';
import type { Digest } from '#oci';
import { LastUses } from './last-uses.ts';

const id = (name: string): Digest => `sha256:${name}` as Digest; // only compared
const minute = 60_000_000_000n;

test('LastUses follows containers and images, over restarts, and forgets images that are gone', async () => {
  using db = new Database(':memory:');
  let now = 1000n * minute;
  const clock = { now: () => now };
  const events = new EventBroker(clock);
  const open = (images: readonly Digest[], signal: AbortSignal): LastUses => {
    const uses = new LastUses({
      ...{ db, clock, events },
      images: () => images,
      imageOf: (reference) => images.find((image) => image === reference || reference === `${image}:latest`),
      imagesOf: (container) => (container === 'c1' ? [id('a')] : []),
    });
    uses.start(signal);
    return uses;
  };
  const first = new AbortController();
  const uses = open([id('a'), id('b')], first.signal);
  assert.equal(uses.of(id('a')), now);
  const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  now += 5n * minute;
  events.publish('container', 'start', 'c1', {});
  events.publish('container', 'exec_start', 'c1', {});
  events.publish('image', 'untag', id('b'), {});
  await settle();
  assert.equal(uses.of(id('a')), now);
  assert.equal(uses.of(id('b')), now - 5n * minute);
  now += 1n;
  events.publish('image', 'pull', `${id('b')}:latest`, {});
  await settle();
  assert.equal(uses.of(id('b')), now);
  first.abort();
  const second = new AbortController();
  const again = open([id('b'), id('new')], second.signal);
  assert.deepEqual([again.of(id('a')), again.of(id('b'))], [undefined, now]);
  assert.deepEqual(
    db.all('SELECT image FROM image_uses ORDER BY image').map(({ image }) => image),
    ['sha256:b', 'sha256:new'],
  );
  second.abort();
});
