import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test('a write that finds the disk full is repeated with the room reserved for it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-metadata-'));
  const fill = join(folder, 'fill');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'small', folder]);
  try {
    for (const id of ['alone', 'within']) {
      using db = new Database(join(folder, 'wharf.db'));
      const insert = (): number => db.run('INSERT INTO leases (id, created_at) VALUES (?, ?)', id, 1n);
      assert.throws(
        () => {
          for (;;) appendFileSync(fill, Buffer.alloc(4096));
        },
        { code: 'ENOSPC' },
      );
      if (id === 'alone') insert();
      else db.transaction(insert);
      assert.ok(db.find('SELECT id FROM leases WHERE id = ?', id));
      assert.equal(existsSync(join(folder, 'wharf.db-reserve')), false);
      rmSync(fill);
    }
  } finally {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  }
});
