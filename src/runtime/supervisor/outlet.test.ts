import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Outlet } from './outlet.ts';

/** Both ends of a connection. */
async function pair(t: TestContext): Promise<[ours: Socket, theirs: Socket]> {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-outlet-'));
  const path = join(folder, 's');
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer({ allowHalfOpen: true }, accepted.resolve);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const theirs = connect(path);
  const ours = await accepted.promise;
  t.after(() => {
    ours.destroy();
    theirs.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return [ours, theirs];
}

const numbered = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, index) => Buffer.alloc(50_000, index % 256));

test('unsent() is exactly what the kernel has not taken', async (t) => {
  const [ours, theirs] = await pair(t);
  const outlet = new Outlet(ours, () => undefined);
  const chunks = numbered(40);
  for (const chunk of chunks) outlet.write(chunk);
  await new Promise(setImmediate);
  const left = Buffer.concat(outlet.unsent());
  ours.destroy();
  const received: Buffer[] = [];
  for await (const chunk of theirs) received.push(chunk as Buffer);
  assert.ok(left.length > 0 && left.length < 2_000_000);
  assert.deepEqual(Buffer.concat([...received, left]), Buffer.concat(chunks));
});

test('write() and end() deliver everything in order', async (t) => {
  const [ours, theirs] = await pair(t);
  const drained = Promise.withResolvers<undefined>();
  const outlet = new Outlet(ours, () => drained.resolve(undefined));
  const chunks = numbered(40);
  for (const chunk of chunks) outlet.write(chunk);
  outlet.end();
  outlet.write(Buffer.from('too late'));
  const received: Buffer[] = [];
  for await (const chunk of theirs) received.push(chunk as Buffer);
  await drained.promise;
  assert.deepEqual(Buffer.concat(received), Buffer.concat(chunks));
  assert.equal(outlet.size, 0);
});

test('stalledFor() counts only while nothing moves', async (t) => {
  const [ours, theirs] = await pair(t);
  const drained = Promise.withResolvers<undefined>();
  const outlet = new Outlet(ours, () => drained.resolve(undefined));
  assert.equal(outlet.stalledFor(1000), 0);
  for (const chunk of numbered(40)) outlet.write(chunk);
  await new Promise(setImmediate);
  assert.equal(outlet.stalledFor(2000), 0);
  assert.equal(outlet.stalledFor(9000), 7000);
  theirs.resume();
  await drained.promise;
  assert.equal(outlet.stalledFor(100_000), 0);
});
