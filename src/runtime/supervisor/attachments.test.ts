import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Attachment } from './attachment.ts';
import { Attachments } from './attachments.ts';

/** A client's connection, parked. */
async function parked(t: TestContext): Promise<{ attachments: Attachments; ours: Socket; theirs: Socket }> {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-attach-'));
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer({ allowHalfOpen: true }, accepted.resolve);
  await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
  const theirs = connect({ path: join(folder, 's'), allowHalfOpen: true });
  const ours = await accepted.promise;
  t.after(() => {
    ours.destroy();
    theirs.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const attachments = new Attachments();
  const attachment = new Attachment(ours, { containerId: 'c', stdin: true, stdout: true, stderr: true });
  attachments.add(attachment);
  attachments.park('c', attachment);
  return { attachments, ours, theirs };
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

test('a parked client is kept with what it has sent, also after its half-close', async (t) => {
  const { attachments, ours, theirs } = await parked(t);
  theirs.end('early');
  await new Promise(setImmediate);
  attachments.sweep(Date.now());
  assert.equal(ours.destroyed, false);
  assert.equal(attachments.takeParked('c').length, 1);
  assert.equal(attachments.takeParked('c').length, 0);
});

test('a parked client that goes is forgotten', async (t) => {
  const { attachments, ours, theirs } = await parked(t);
  theirs.destroy();
  await closed(theirs);
  attachments.sweep(Date.now());
  await closed(ours);
  assert.equal(attachments.all.size, 0);
  assert.equal(attachments.parkedKeys().size, 0);
});

test('a client that takes nothing for a minute is dropped', async (t) => {
  const { attachments, ours } = await parked(t);
  const [attachment] = attachments.takeParked('c');
  attachment?.outlet.write(Buffer.alloc(4 * 1024 * 1024));
  await new Promise(setImmediate);
  const now = Date.now();
  attachments.sweep(now);
  attachments.sweep(now + 59_000);
  assert.equal(ours.destroyed, false);
  attachments.sweep(now + 61_000);
  assert.equal(ours.destroyed, true);
  await closed(ours);
});

test('a client that takes nothing is dropped sooner when others read the same output', async (t) => {
  const first = await parked(t);
  const second = await parked(t);
  const { attachments } = first;
  const options = { containerId: 'c', stdin: false, stdout: true, stderr: false };
  attachments.add(new Attachment(second.ours, options));
  const [attachment] = attachments.takeParked('c');
  attachment?.outlet.write(Buffer.alloc(4 * 1024 * 1024));
  await new Promise(setImmediate);
  const now = Date.now();
  attachments.sweep(now);
  attachments.sweep(now + 9_000);
  assert.equal(first.ours.destroyed, false);
  attachments.sweep(now + 11_000);
  assert.deepEqual([first.ours.destroyed, second.ours.destroyed], [true, false]);
});
