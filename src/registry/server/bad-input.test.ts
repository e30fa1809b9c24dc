import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readlink } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { digestOf, mediaTypes } from '#oci';
import { Bench, codeOf, image } from './testing/bench.ts';

const absent = digestOf('absent');

const dial = async (bench: Bench, options: { readonly allowHalfOpen?: boolean } = {}): Promise<Socket> => {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(bench.base).port), ...options });
  await once(socket, 'connect');
  return socket;
};

/** What comes back for bytes that no HTTP client would send, until the server hangs up. */
async function raw(bench: Bench, request: string): Promise<string> {
  const socket = await dial(bench);
  socket.write(request);
  return await text(socket);
}

test('rubbish is refused by its error, and the registry goes on', async () => {
  await using bench = await Bench.start();
  await bench.push('app', 'layer');
  const upload = async (): Promise<string> =>
    (await bench.ask('POST', '/v2/app/blobs/uploads/')).headers.get('location') ?? '';
  const range = (value: string): Record<string, string> => ({ 'Content-Range': value });
  const json = { 'Content-Type': mediaTypes.ociManifest };
  const layer = { mediaType: mediaTypes.ociLayer, digest: digestOf('layer'), size: 5 };
  const manifest = (more: object): string => JSON.stringify({ ...image('layer'), ...more });
  for (const [method, path, status, code, body, headers] of [
    ['GET', '/v2/app/blobs/sha256:xyz', 400, 'DIGEST_INVALID'],
    ['GET', `/v2/app/blobs/sha256:${'a'.repeat(63)}`, 400, 'DIGEST_INVALID'],
    ['GET', `/v2/app/blobs/sha256:${'A'.repeat(64)}`, 400, 'DIGEST_INVALID'],
    ['GET', '/v2/app/blobs/..%2f..%2fregistry.db', 404, ''],
    ['GET', `/v2/app/blobs/md5:${'a'.repeat(32)}`, 400, 'DIGEST_INVALID'],
    ['GET', `/v2/App/blobs/${absent}`, 400, 'NAME_INVALID'],
    ['GET', `/v2/a%00b/blobs/${absent}`, 400, 'NAME_INVALID'],
    ['GET', '/v2/%ff/tags/list', 400, 'NAME_INVALID'],
    ['GET', '/v2/%/tags/list', 400, 'NAME_INVALID'],
    ['GET', `/v2/${'a/'.repeat(150)}a/tags/list`, 400, 'NAME_INVALID'],
    ['GET', '/v2/app/../../etc/passwd/tags/list', 404, ''],
    ['GET', '/v2/app/tags/list?n=-1', 400, 'PAGINATION_NUMBER_INVALID'],
    ['GET', '/v2/app/tags/list?n=1e9', 400, 'PAGINATION_NUMBER_INVALID'],
    ['GET', '/v2/_catalog?n=x', 400, 'PAGINATION_NUMBER_INVALID'],
    ['POST', '/v2/app/blobs/uploads/?mount=x&from=app', 400, 'DIGEST_INVALID'],
    ['POST', `/v2/app/blobs/uploads/?mount=${absent}&from=A`, 400, 'NAME_INVALID'],
    ['POST', '/v2/app/blobs/uploads/?digest-algorithm=md5', 400, 'DIGEST_INVALID'],
    ['POST', `/v2/app/blobs/uploads/?digest=${absent}`, 400, 'DIGEST_INVALID', 'other'],
    ['PATCH', '/v2/app/blobs/uploads/none', 404, 'BLOB_UPLOAD_UNKNOWN', 'x'],
    ['PATCH', await upload(), 416, 'BLOB_UPLOAD_INVALID', 'abc', range('3-1')],
    ['PATCH', await upload(), 416, 'BLOB_UPLOAD_INVALID', 'abc', range('bytes */3')],
    ['PATCH', await upload(), 416, 'BLOB_UPLOAD_INVALID', 'abc', range('-1-2')],
    ['PATCH', await upload(), 400, 'BLOB_UPLOAD_INVALID', 'abc', range('0-9')],
    [
      'PATCH',
      await upload(),
      416,
      'BLOB_UPLOAD_INVALID',
      'abc',
      range('99999999999999999999-99999999999999999999'),
    ],
    ['PUT', `${await upload()}?digest=${digestOf('abc')}&digest=x`, 201, '', 'abc'],
    ['PUT', '/v2/app/manifests/bad%20tag', 400, 'MANIFEST_INVALID', '{}', json],
    ['PUT', `/v2/app/manifests/${'t'.repeat(129)}`, 400, 'MANIFEST_INVALID', '{}', json],
    ['PUT', '/v2/app/manifests/v1', 400, 'MANIFEST_INVALID', '{"schemaVersion":2}', json],
    ['PUT', '/v2/app/manifests/v1', 400, 'MANIFEST_INVALID', '['.repeat(100_000), json],
    [
      'PUT',
      '/v2/app/manifests/v1',
      400,
      'MANIFEST_INVALID',
      manifest({ layers: [{ ...layer, size: 6 }], config: layer }),
      json,
    ],
    [
      'PUT',
      '/v2/app/manifests/v1',
      400,
      'MANIFEST_INVALID',
      manifest({ layers: [{ ...layer, size: -1 }] }),
      json,
    ],
    ['PUT', '/v2/app/manifests/v1', 400, 'MANIFEST_INVALID', manifest({ layers: {} }), json],
    ['PUT', '/v2/app/manifests/v1', 400, 'MANIFEST_INVALID', manifest({ subject: { digest: 'x' } }), json],
    ['PUT', '/v2/app/manifests/v1', 400, 'MANIFEST_INVALID', manifest({ manifests: [] }), json],
    [
      'PUT',
      '/v2/app/manifests/v1',
      400,
      'MANIFEST_INVALID',
      '{"schemaVersion":1}',
      { 'Content-Type': mediaTypes.dockerSchema1Signed },
    ],
    ['POST', '/v2/app/manifests/v1', 405, 'UNSUPPORTED', '{}'],
    ['PUT', `/v2/app/blobs/${absent}`, 405, 'UNSUPPORTED', 'x'],
  ] as const) {
    const answer = await bench.ask(method, path, body, headers);
    assert.equal(answer.status, status, `${method} ${path} ${body?.slice(0, 80) ?? ''}`);
    if (code !== '') assert.equal(await codeOf(answer), code, path);
  }
  assert.match(
    await raw(bench, 'GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1\.1 40[04]/,
  );
  assert.match(await raw(bench, 'rubbish\r\n\r\n'), /^HTTP\/1\.1 400/);
  assert.equal((await bench.ask('GET', '/v2/')).status, 200);
});

test('a body that breaks off leaves nothing but what a client may go on with', async () => {
  await using bench = await Bench.start();
  const data = randomBytes(20 << 20);
  const digest = digestOf(data);
  const place = (await bench.ask('POST', '/v2/app/blobs/uploads/')).headers.get('location') ?? '';
  for (const [method, path] of [
    ['PATCH', place],
    ['POST', `/v2/app/blobs/uploads/?digest=${digest}`],
  ] as const) {
    const socket = await dial(bench);
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${data.length}\r\n\r\n`);
    await new Promise<void>((resolve) => socket.write(data.subarray(0, 16 << 20), () => resolve()));
    socket.end();
    await text(socket);
    socket.destroy();
  }
  assert.equal((await bench.ask('GET', `/v2/app/blobs/${digest}`)).status, 404);
  const range = (await bench.ask('GET', place)).headers.get('range') ?? '';
  const received = Number(range.split('-')[1]) + 1;
  assert.ok(received > 1 && received <= 16 << 20, range);
  const rest = await bench.ask('PUT', `${place}?digest=${digest}`, data.subarray(received));
  assert.equal(rest.status, 201);
  assert.deepEqual(
    Buffer.from(await (await bench.ask('GET', `/v2/app/blobs/${digest}`)).arrayBuffer()),
    data,
  );
});

test('a client that has said all and hung up its side still gets its answer', async () => {
  await using bench = await Bench.start();
  const digest = await bench.push('app', randomBytes(1_000_000));
  const socket = await dial(bench, { allowHalfOpen: true });
  socket.end(`GET /v2/app/blobs/${digest} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  const answer = await Array.fromAsync(socket as AsyncIterable<Buffer>);
  const bytes = Buffer.concat(answer);
  assert.equal(digestOf(Uint8Array.from(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4))), digest);
});

test('a connection on which nothing moves is closed', async () => {
  const options: { stallTimeout?: number } = {};
  await using bench = await Bench.start(options);
  const digest = await bench.push('app', randomBytes(32 << 20));
  options.stallTimeout = 300;
  await bench.restart();
  const place = (await bench.ask('POST', '/v2/app/blobs/uploads/')).headers.get('location') ?? '';
  const writer = await dial(bench);
  writer.write(`PATCH ${place} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf`);
  const reader = await dial(bench);
  reader.pause();
  reader.write(`GET /v2/app/blobs/${digest} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await eventually(async () => (await filesOpen(digest)) > 0);
  await text(writer);
  await eventually(async () => (await filesOpen(digest)) === 0);
  // What the kernel holds for it comes, and then the end.
  const got = await Array.fromAsync(reader as AsyncIterable<Buffer>).catch(() => []);
  assert.ok(Buffer.concat(got).length < 32 << 20);
  assert.equal((await bench.ask('GET', place)).headers.get('range'), '0-3');
});

/** How often this process, the registry's, has the blob open. */
async function filesOpen(digest: string): Promise<number> {
  const hex = digest.split(':')[1] ?? '';
  const targets = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  return targets.filter((target) => target.endsWith(hex)).length;
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, 'too late');
    await setTimeout(10);
  }
}
