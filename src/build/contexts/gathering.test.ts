import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { Gathering } from './gathering.ts';

const gathering = (): { readonly sent: string[]; readonly target: Gathering } => {
  const sent: string[] = [];
  return { sent, target: new Gathering((bytes) => sent.push(Buffer.from(bytes).toString())) };
};

test('push() sends what comes in one turn at once, and what comes soon after together', async () => {
  const { sent, target } = gathering();
  target.push(Buffer.from('a'));
  target.push(Buffer.from('b'));
  await setImmediate();
  assert.deepEqual(sent, ['ab']);
  for (const text of ['c', 'd', 'e']) {
    target.push(Buffer.from(text));
    await Promise.resolve();
  }
  await setTimeout(20);
  assert.equal(sent.join(''), 'abcde');
});

test('push() does not wait with much, flush() with nothing, and drop() forgets', async () => {
  const { sent, target } = gathering();
  const much = 'x'.repeat(256 * 1024);
  target.push(Buffer.from(much));
  assert.deepEqual(sent, [much]);
  target.push(Buffer.from('a'));
  target.flush();
  assert.deepEqual(sent, [much, 'a']);
  target.push(Buffer.from('b'));
  target.drop();
  await setTimeout(20);
  assert.equal(sent.length, 2);
});
