import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyedLock } from './keyed-lock.ts';

test('acquire() serves one key in order and other keys at once', async () => {
  const locks = new KeyedLock();
  const order: string[] = [];
  const first = await locks.acquire('a');
  const second = locks.acquire('a').then((lock) => {
    order.push('second');
    return lock;
  });
  await using other = await locks.acquire('b');
  assert.ok(other);
  order.push('first');
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
  assert.deepEqual(order, ['first', 'second']);
});

test('acquire() gives up on abort and does not block those behind', async () => {
  const locks = new KeyedLock();
  const first = await locks.acquire('a');
  const abort = new AbortController();
  const second = locks.acquire('a', { signal: abort.signal });
  const third = locks.acquire('a');
  abort.abort(new Error('gone'));
  await assert.rejects(second, /gone/);
  first[Symbol.dispose]();
  (await third)[Symbol.dispose]();
  await new Promise(setImmediate);
  assert.equal(locks.size, 0);
});
