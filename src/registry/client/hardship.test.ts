/** Registries that misbehave: each is a clear error, or is got over, in finite time. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createRegistryClient, type RegistryClient } from './index.ts';
import { FakeRegistry, sendError } from './testing/fake-registry.ts';

const { signal } = new AbortController();
const never = { signal };
const patience = { stallTimeout: 300, firstDelay: 1, longestDelay: 50, connectTimeout: 2_000 };

const open = (mirrors: readonly string[] = []): RegistryClient =>
  createRegistryClient({ mirrors, insecureRegistries: [], userAgent: 'wharf/test', patience });

const isBlob = (request: IncomingMessage): boolean =>
  (request.url?.includes('/blobs/') ?? false) && request.method === 'GET';

/** Sends the head of a blob and so many bytes, then cuts the connection. */
function cut(response: ServerResponse, blob: Buffer, start: number, count: number): true {
  response.writeHead(start > 0 ? 206 : 200, {
    'content-length': blob.length - start,
    ...(start > 0 && { 'content-range': `bytes ${start}-${blob.length - 1}/${blob.length}` }),
  });
  response.write(blob.subarray(start, start + count), () => response.destroy());
  return true;
}

test('fetchBlob() goes on at the registry where its mirror breaks down for good', async () => {
  await using upstream = await FakeRegistry.open();
  await using mirror = await FakeRegistry.open();
  const layer = randomBytes(2_000_000);
  const image = upstream.addImage('a', '1', layer);
  mirror.addImage('a', '1', layer);
  mirror.intercept = (request, response) =>
    isBlob(request) &&
    (request.headers.range === undefined
      ? cut(response, layer, 0, 1_000_000)
      : sendError(response, 502, 'UNKNOWN', 'gone'));
  await using client = open([`${upstream.host}=http://${mirror.host}`]);
  const repository = client.repository(`${upstream.host}/a`, { username: 'bob', password: 'secret' }, 'pull');
  assert.deepEqual((await repository.fetchManifest('1', never)).descriptor, image.manifest);
  assert.ok((await buffer(await repository.fetchBlob(image.layer, never))).equals(layer));
  const [resumed] = upstream.requests.filter(({ path }) => path.includes('/blobs/'));
  assert.match(resumed?.headers.range ?? '', /^bytes=[1-9]\d+-$/);
  assert.equal(upstream.requests.filter(({ path }) => path.includes('/manifests/')).length, 0);
  assert.ok(mirror.requests.every(({ headers }) => headers.authorization === undefined));
  await buffer(await repository.fetchBlob(image.layer, { signal, direct: true }));
  assert.equal(upstream.requests.at(-1)?.headers.range, undefined);
});

test('fetchBlob() resumes only what is still the same, and gets over a server that ignores ranges', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const layer = randomBytes(1_000_000);
  const image = registry.addImage('a', '1', layer);
  const seen: (string | undefined)[] = [];
  registry.intercept = (request, response) => {
    if (!isBlob(request)) return false;
    seen.push(request.headers['if-range'] as string | undefined);
    response.setHeader('etag', '"one"');
    if (seen.length === 1) return cut(response, layer, 0, 400_000);
    response.writeHead(200, { 'content-length': layer.length });
    response.end(layer);
    return true;
  };
  const repository = client.repository(`${registry.host}/a`, {}, 'pull');
  assert.ok((await buffer(await repository.fetchBlob(image.layer, never))).equals(layer));
  assert.deepEqual(seen, [undefined, '"one"']);
});

test('fetchBlob() asks for the whole where a server sends another range', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const layer = randomBytes(100_000);
  const image = registry.addImage('a', '1', layer);
  registry.intercept = (request, response) =>
    isBlob(request) && request.headers.range !== undefined && cut(response, layer, 10, 100);
  const stream = await client
    .repository(`${registry.host}/a`, {}, 'pull')
    .fetchBlob(image.layer, { signal, offset: 50_000 });
  assert.ok((await buffer(stream)).equals(layer.subarray(50_000)));
});

test('fetchBlob() refuses a body that unpacks to something else, and one without an end', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const layer = randomBytes(1000);
  const image = registry.addImage('a', '1', layer);
  const repository = client.repository(`${registry.host}/a`, {}, 'pull');
  registry.intercept = (request, response) => {
    if (!isBlob(request)) return false;
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end(gzipSync(Buffer.alloc(1 << 20)));
    return true;
  };
  await assert.rejects(repository.fetchBlob(image.layer, never), /sends the blob gzip-encoded/);
  registry.intercept = (request, response) => {
    if (!isBlob(request)) return false;
    response.writeHead(200);
    const pour = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on('drain', pour);
    pour();
    return true;
  };
  const endless = await repository.fetchBlob(image.layer, never);
  await assert.rejects(buffer(endless), /more bytes than the blob has/);
});

test('fetchManifest() refuses an endless manifest and an encoded one', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const repository = client.repository(`${registry.host}/a`, {}, 'pull');
  const type = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
  registry.intercept = (request, response) => {
    if (request.url?.includes('/manifests/') !== true) return false;
    response.writeHead(200, type);
    const pour = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, 32)));
    };
    response.on('drain', pour);
    pour();
    return true;
  };
  await assert.rejects(repository.fetchManifest('1', never), /the manifest is larger than \d+ bytes/);
  registry.intercept = (request, response) => {
    if (request.url?.includes('/manifests/') !== true) return false;
    response.writeHead(200, { ...type, 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(1 << 24)));
    return true;
  };
  await assert.rejects(repository.fetchManifest('1', never), /no JSON came back/);
});

test('listTags() ends where pages lead back to themselves', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  registry.intercept = (request, response) => {
    if (request.url?.includes('/tags/list') !== true) return false;
    response.writeHead(200, { link: `</v2/a/tags/list?n=1000&last=x>; rel="next"` });
    response.end('{"tags":["x"]}');
    return true;
  };
  const repository = client.repository(`${registry.host}/a`, {}, 'pull');
  await assert.rejects(repository.listTags(never), /leads back/);
  assert.ok(registry.requests.length < 6);
});

test('a registry that has enough of us says when to come back', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  let head: Record<string, string> = {};
  registry.intercept = (request, response) =>
    (request.url?.includes('/manifests/') ?? false) &&
    sendError(response, 429, 'TOOMANYREQUESTS', 'enough', head);
  const fetch = (): Promise<unknown> =>
    client.repository(`${registry.host}/a`, {}, 'pull').fetchManifest('1', never);
  const table: [head: Record<string, string>, message: RegExp][] = [
    [
      { 'retry-after': '90', 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600' },
      /^toomanyrequests: enough \(the limit is 100 requests in 6 h; try again in 1 min 30 s\)$/,
    ],
    [
      { 'retry-after': new Date(Date.now() + 7_200_500).toUTCString() },
      /try again in (?:2 h|1 h 59 min \d+ s)/,
    ],
    [{ 'ratelimit-reset': '61' }, /try again in 1 min 1 s/],
    [{}, /^toomanyrequests: enough$/],
  ];
  for (const [given, message] of table) {
    head = given;
    await assert.rejects(fetch(), { kind: 'unavailable', message });
  }
});

test('pushBlob() and fetchBlob() get a new token where the old one ends on the way', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const layer = randomBytes(2_000_000);
  const image = registry.addImage('a', '1', layer);
  let valid = 0;
  let cuts = 1;
  registry.intercept = (request, response, url) => {
    if (url.pathname === '/token') {
      valid += 1;
      response.end(JSON.stringify({ token: `t${valid}`, expires_in: 3600 }));
      return true;
    }
    if (request.headers.authorization !== `Bearer t${valid}`) {
      const challenge = { 'www-authenticate': `Bearer realm="http://${registry.host}/token",service="x"` };
      return sendError(response, 401, 'UNAUTHORIZED', 'authentication required', challenge);
    }
    if (!isBlob(request) || cuts-- === 0) return false;
    valid += 1;
    return cut(response, layer, 0, 1_000_000);
  };
  const repository = client.repository(`${registry.host}/a`, {}, 'pull');
  assert.ok((await buffer(await repository.fetchBlob(image.layer, never))).equals(layer));
  assert.equal(valid, 3);
});

test('fetchBlob() gets a foreign layer from where its descriptor says, without credentials', async () => {
  await using registry = await FakeRegistry.open();
  await using elsewhere = await FakeRegistry.open();
  await using client = open();
  const layer = randomBytes(1000);
  const image = registry.addImage('a', '1', layer);
  registry.blobs.delete(image.layer.digest);
  registry.intercept = (request, response) =>
    request.headers.authorization === undefined &&
    sendError(response, 401, 'UNAUTHORIZED', 'no', { 'www-authenticate': 'Basic realm="x"' });
  elsewhere.intercept = (request, response) => {
    assert.equal(request.headers.authorization, undefined);
    response.end(layer);
    return true;
  };
  const repository = client.repository(`${registry.host}/a`, { username: 'bob', password: 'secret' }, 'pull');
  await assert.rejects(repository.fetchBlob(image.layer, never), /blob unknown/);
  const urls = ['ftp://nowhere.invalid/x', `http://${elsewhere.host}/layer`];
  assert.ok((await buffer(await repository.fetchBlob({ ...image.layer, urls }, never))).equals(layer));
});
