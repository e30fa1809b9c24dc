import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#kernel';
import { Database } from './database.ts';
import { Leases } from './leases.ts';

test('transaction() keeps all or nothing', () => {
  using db = new Database(':memory:');
  assert.throws(() =>
    db.transaction(() => {
      db.run('INSERT INTO meta VALUES (?, ?)', 'a', '1');
      throw new Error('no');
    }),
  );
  assert.equal(db.find('SELECT * FROM meta'), undefined);
});

test('relaxed() goes back to full durability, also after an error', () => {
  using db = new Database(':memory:');
  const level = (): unknown => db.find('PRAGMA synchronous')?.['synchronous'];
  assert.equal(
    db.relaxed(() => level()),
    1n,
  );
  assert.throws(() =>
    db.relaxed(() => {
      throw new Error('no');
    }),
  );
  assert.equal(level(), 2n);
});

test('Leases hold items until disposed', () => {
  using db = new Database(':memory:');
  const leases = new Leases(db, systemClock);
  {
    using lease = leases.open();
    lease.add('blob', 'sha256:1');
    lease.add('blob', 'sha256:1');
    assert.deepEqual([...leases.items('blob')], ['sha256:1']);
  }
  assert.equal(leases.items('blob').size, 0);
});
