import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#kernel';
import { EventBroker } from './event-broker.ts';

test('subscribe() gets live events in order until aborted', async () => {
  const broker = new EventBroker(systemClock);
  broker.publish('container', 'create', 'a', {});
  const abort = new AbortController();
  const stream = broker.subscribe({ signal: abort.signal });
  broker.publish('container', 'start', 'a', {});
  broker.publish('container', 'die', 'a', { exitCode: '0' });
  const seen: string[] = [];
  for await (const event of stream) {
    seen.push(event.Action);
    if (event.Action === 'die') abort.abort();
  }
  assert.deepEqual(seen, ['start', 'die']);
  assert.equal(broker.subscribers, 0);
});

test('subscribe() with an until in the past replays and ends', async () => {
  const broker = new EventBroker(systemClock);
  broker.publish('image', 'tag', 'i', {});
  const until = systemClock.now();
  broker.publish('image', 'untag', 'i', {});
  const seen: string[] = [];
  for await (const event of broker.subscribe({ since: 0n, until, signal: new AbortController().signal })) {
    seen.push(event.Action);
  }
  assert.deepEqual(seen, ['tag']);
});

test('subscribe() replays the last 256 events', async () => {
  const broker = new EventBroker(systemClock);
  for (let n = 0; n < 300; n += 1) broker.publish('image', 'tag', String(n), {});
  const seen: string[] = [];
  const { signal } = new AbortController();
  for await (const event of broker.subscribe({ since: 0n, until: systemClock.now(), signal })) {
    seen.push(event.Actor.ID);
  }
  assert.deepEqual([seen.length, seen[0], seen.at(-1)], [256, '44', '299']);
});
