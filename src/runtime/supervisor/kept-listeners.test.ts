import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { silentLogger } from '#kernel';
import { duplicate, openUnixListener } from '#linux';
import { KeptListeners, restingPath } from './kept-listeners.ts';

function prepare(): { readonly path: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'kept-'));
  return { path: join(folder, 'api.sock'), [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

function listen(listeners: KeptListeners, path: string): void {
  const fd = openUnixListener(path, { mode: 0o660 });
  listeners.keep(path, process.pid, fd);
  closeSync(fd);
}

async function ask(path: string): Promise<string> {
  const client = connect(path);
  client.write('GET / HTTP/1.0\r\n\r\n');
  return text(client);
}

test('unattended() answers for a daemon that does not come back, and takes its socket out of sight', async () => {
  using place = prepare();
  const listeners = new KeptListeners(silentLogger, 20);
  listen(listeners, place.path);
  listeners.unattended();
  // A connection made before the end of the grace is answered at that end.
  assert.match(await ask(place.path), /^HTTP\/1.1 503 [^]*the engine is not running/);
  assert.equal(existsSync(place.path), false);
  assert.match(await ask(restingPath(place.path)), /^HTTP\/1.1 503 /);
  listeners.attended();
  const [kept] = listeners.takeUp();
  assert.equal(kept?.path, place.path);
  assert.ok(existsSync(place.path));
  const server = createServer((socket) => socket.end('served')).listen({ fd: duplicate(kept.fd) });
  assert.equal(await ask(place.path), 'served');
  server.close();
  listeners.drop(place.path);
  assert.equal(existsSync(place.path), false);
});

test('takeUp() gives a socket up whose place another one has taken', () => {
  using place = prepare();
  const listeners = new KeptListeners(silentLogger);
  listen(listeners, place.path);
  listeners.rest();
  closeSync(openUnixListener(place.path, { mode: 0o600 }));
  assert.deepEqual(listeners.takeUp(), []);
  assert.ok(existsSync(place.path), 'it is not ours to remove');
  assert.equal(existsSync(restingPath(place.path)), false);
});
