import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { KeyedLock } from '#kernel';
import { Transport } from '#registry/client';
import { ContextStore } from '../contexts/context-store.ts';
import { HttpSource } from './http-source.ts';

const { signal } = new AbortController();

/** A source with a store of its own, and a server on loopback. */
async function setUp(serve: RequestListener): Promise<{ source: HttpSource; url: string } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'wharf-http-source-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const contexts = stack.use(new ContextStore(join(folder, 'contexts')));
  await contexts.start();
  const server = createServer(serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  const connect = (): Transport =>
    new Transport({ userAgent: 'test', connectTimeout: 1_000, stallTimeout: 5_000, keepAlive: 100 });
  return {
    source: new HttpSource(contexts, connect, new KeyedLock()),
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // of a TCP server
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

test('fetch() takes what it has where a server sends the same ETag again, though it ignores the question', async () => {
  let sent = 0;
  await using made = await setUp((_, response) => {
    response.writeHead(200, { etag: 'W/"same"' });
    response.end(`body ${(sent += 1)}`);
  });
  const file = { url: `${made.url}/a`, fileName: 'a', checksum: '' };
  const first = await made.source.fetch(file, { signal });
  const second = await made.source.fetch({ ...file, fileName: 'b' }, { signal });
  assert.equal(second.get('b')?.digest, first.get('a')?.digest);
  assert.equal(first.get('a')?.modTime, 0n);
});

test('fetch() throws for a body that breaks off, and takes none of it', async () => {
  let isWhole = false;
  await using made = await setUp((_, response) => {
    response.writeHead(200, { etag: '"1"', 'content-length': '10' });
    if (isWhole) response.end('0123456789');
    else response.write('0123', () => response.destroy());
  });
  const file = { url: `${made.url}/a`, fileName: 'a', checksum: '' };
  await assert.rejects(made.source.fetch(file, { signal }), /Get "http:.*": /);
  isWhole = true;
  assert.equal((await made.source.fetch(file, { signal })).get('a')?.size, 10);
});

test('fetch() stops after ten redirects, and with its signal', async () => {
  await using made = await setUp((request, response) => {
    if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
  });
  const file = (path: string): { url: string; fileName: string; checksum: string } => ({
    ...{ url: made.url + path, fileName: 'a', checksum: '' },
  });
  await assert.rejects(made.source.fetch(file('/loop'), { signal }), /stopped after 10 redirects/);
  const abort = new AbortController();
  const waiting = made.source.fetch(file('/silent'), { signal: abort.signal });
  abort.abort(new Error('enough'));
  await assert.rejects(waiting, { message: 'enough' });
});
