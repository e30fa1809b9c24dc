import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Limiter } from './limiter.ts';

test('run() gives the turn of a task that was given up to the next one', async () => {
  const limiter = new Limiter(1);
  const first = Promise.withResolvers<string>();
  const running = limiter.run(() => first.promise);
  const stop = new AbortController();
  const givenUp = limiter.run(() => Promise.resolve('never'), { signal: stop.signal });
  const last = limiter.run(() => Promise.resolve('last'));
  stop.abort(new Error('given up'));
  await assert.rejects(givenUp, /given up/);
  first.resolve('first');
  assert.deepEqual(await Promise.all([running, last]), ['first', 'last']);
  assert.equal(limiter.isFull, false);
});
