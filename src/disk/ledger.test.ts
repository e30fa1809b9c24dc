import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from './ledger.ts';

const sizes = new Map([
  ['base', 100],
  ['one', 10],
  ['two', 20],
  ['lost', 5],
]);

test('release() frees what the last holder lets go, whatever the order', () => {
  const ledger = new Ledger(sizes);
  ledger.hold(['base', 'one']);
  ledger.hold(['base', 'two']);
  assert.equal(ledger.unheld(), 5);
  assert.deepEqual(ledger.share(['base', 'one']), { bytes: 110, shared: 100 });
  assert.equal(ledger.release(['base', 'one']), 10);
  assert.deepEqual(ledger.share(['base', 'two']), { bytes: 120, shared: 0 });
  assert.equal(ledger.release(['base', 'two']), 120);
  assert.equal(ledger.release(['base', 'two']), 0);
  assert.equal(ledger.unheld(), 135);
});
