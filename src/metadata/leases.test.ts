import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Database } from './database.ts';
import { Leases } from './leases.ts';

const hour = 3_600_000_000_000n;

function openBench(): { leases: Leases; pass(nanos: bigint): void; restart(): Leases } & Disposable {
  const db = new Database(':memory:');
  let now = 1n;
  const clock = { now: () => now };
  return {
    leases: new Leases(db, clock),
    pass: (nanos) => (now += nanos),
    restart: () => {
      const leases = new Leases(db, clock);
      leases.start();
      return leases;
    },
    [Symbol.dispose]: () => db[Symbol.dispose](),
  };
}

const pull = { name: 'pull x', keptFor: hour };
const held = (leases: Leases): readonly string[] => [...leases.items('blob')].sort();

test('start() drops the leases of operations that ended with the process, and lets named ones live on', () => {
  using bench = openBench();
  bench.leases.open().add('blob', 'a');
  bench.leases.open(pull).add('blob', 'b');
  bench.pass(5n * hour);
  assert.deepEqual(held(bench.leases), ['a', 'b']);
  const after = bench.restart();
  assert.deepEqual(held(after), ['b']);
  bench.pass(hour - 1n);
  assert.deepEqual(held(bench.restart()), ['b']);
  bench.pass(1n);
  assert.deepEqual(held(after), []);
  assert.deepEqual(held(bench.restart()), []);
});

test('open() takes over what an interrupted operation of the name has left, and ends it with its own', () => {
  using bench = openBench();
  bench.leases.open(pull).add('blob', 'a');
  const leases = bench.restart();
  {
    using other = leases.open({ ...pull, name: 'pull y' });
    assert.deepEqual(other.inherited, []);
    using lease = leases.open(pull);
    assert.deepEqual(lease.inherited, [{ kind: 'blob', key: 'a' }]);
    using again = leases.open(pull);
    assert.deepEqual(again.inherited, []);
  }
  assert.deepEqual(held(leases), []);
});

test('keep() lets a lease live on after its operation, until the room is needed', () => {
  using bench = openBench();
  const { leases } = bench;
  {
    using lease = leases.open(pull);
    lease.add('blob', 'a');
    lease.keep();
    using plain = leases.open();
    plain.keep();
    plain.add('blob', 'b');
  }
  assert.deepEqual(held(leases), ['a']);
  assert.deepEqual([...leases.items('blob', { underWay: true })], []);
  leases.dropInterrupted();
  assert.deepEqual(held(leases), []);
});
