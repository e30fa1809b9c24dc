import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { digestOf, mediaTypes, type Descriptor, type Digest } from '#oci';
import { createRegistryClient, type RegistryAuth, type RegistryClient } from './index.ts';
import { FakeRegistry, sendError } from './testing/fake-registry.ts';

const { signal } = new AbortController();
const never = { signal };
const patience = { stallTimeout: 300, firstDelay: 5, longestDelay: 2_000, connectTimeout: 2_000 };
const bob = { username: 'bob', password: 'secret' };
const basicBob = `Basic ${Buffer.from('bob:secret').toString('base64')}`;

const open = (mirrors: readonly string[] = []): RegistryClient =>
  createRegistryClient({ mirrors, insecureRegistries: [], userAgent: 'wharf/test', patience });

const isManifest = (request: IncomingMessage): boolean => request.url?.includes('/manifests/') ?? false;
const isBlob = (request: IncomingMessage): boolean =>
  (request.url?.includes('/blobs/') ?? false) && request.method === 'GET';

/** Asks for a bearer token as Docker Hub does; `grants` decides about a token request. */
function requireToken(
  registry: FakeRegistry,
  grants: (request: IncomingMessage, url: URL) => object | undefined,
  realm = `http://${registry.host}/token`,
): void {
  registry.intercept = (request, response, url) => {
    if (url.pathname === '/token') {
      const granted = grants(request, url);
      response.writeHead(granted ? 200 : 401, { 'content-type': 'application/json' });
      response.end(JSON.stringify(granted ?? { details: 'incorrect username or password' }));
      return true;
    }
    if (request.headers.authorization?.startsWith('Bearer good') === true) return false;
    const challenge = { 'www-authenticate': `Bearer realm="${realm}",service="fake"` };
    return sendError(response, 401, 'UNAUTHORIZED', 'authentication required', challenge);
  };
}

test('fetchManifest() and fetchBlob() bring back an image', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const layer = randomBytes(3_000_000);
  const image = registry.addImage('a/b', '1', layer);
  const repository = client.repository(`${registry.host}/a/b`, {}, 'pull');
  const fetched = await repository.fetchManifest('1', never);
  assert.deepEqual(fetched.descriptor, image.manifest);
  assert.deepEqual(Buffer.from(fetched.bytes), image.bytes);
  assert.deepEqual((await repository.fetchManifest(image.manifest.digest, never)).descriptor, image.manifest);
  assert.deepEqual(await buffer(await repository.fetchBlob(image.layer, never)), layer);
  const tail = await repository.fetchBlob(image.layer, { signal, offset: 2_999_990 });
  assert.deepEqual(await buffer(tail), layer.subarray(2_999_990));
  assert.equal(
    (await buffer(await repository.fetchBlob(image.layer, { signal, offset: 3_000_000 }))).length,
    0,
  );
  assert.equal(registry.paths('GET').filter((path) => path === '/v2/').length, 1);
  const accept = registry.requests.find((each) => each.path.includes('/manifests/'))?.headers.accept ?? '';
  for (const type of [mediaTypes.ociIndex, mediaTypes.ociManifest, mediaTypes.dockerManifestList]) {
    assert.ok(accept.includes(type));
  }
});

test('fetchManifest() tells failures in Docker words', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const { host } = registry;
  registry.addImage('a', '1', Buffer.from('x'));
  let answer: Parameters<typeof sendError> extends [unknown, ...infer Rest] ? Rest : never;
  const fetch = (reference: string): Promise<unknown> =>
    client.repository(`${host}/a`, {}, 'pull').fetchManifest(reference, never);
  const digest = digestOf('absent');
  await assert.rejects(fetch('nope'), {
    kind: 'notFound',
    message: `manifest for ${host}/a:nope not found: manifest unknown: manifest unknown`,
  });
  await assert.rejects(fetch(digest), {
    kind: 'notFound',
    message: `manifest for ${host}/a@${digest} not found: manifest unknown: manifest unknown`,
  });
  registry.intercept = (request, response) => isManifest(request) && sendError(response, ...answer);
  const denied = `pull access denied for ${host}/a, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`;
  const table: [answer: typeof answer, kind: string, message: string][] = [
    [[403, 'DENIED', 'requested access to the resource is denied'], 'notFound', denied],
    [
      [401, 'UNAUTHORIZED', 'x', { 'www-authenticate': 'Bearer error="insufficient_scope"' }],
      'notFound',
      denied,
    ],
    [
      [401, 'UNAUTHORIZED', 'authentication required'],
      'unauthenticated',
      'unauthorized: authentication required',
    ],
    [
      [404, 'NAME_UNKNOWN', 'repository name not known to registry'],
      'notFound',
      `repository ${host}/a not found: name unknown: repository name not known to registry`,
    ],
    [[500, 'UNKNOWN', 'x'], 'internal', 'received unexpected HTTP status: 500 Internal Server Error'],
    [
      [429, 'TOOMANYREQUESTS', 'You have reached your pull rate limit.', { 'retry-after': '9999' }],
      'unavailable',
      'toomanyrequests: You have reached your pull rate limit. (try again in 2 h 46 min 39 s)',
    ],
  ];
  for (const [given, kind, message] of table) {
    answer = given;
    await assert.rejects(fetch('1'), { kind, message });
  }
});

test('fetchManifest() refuses what is no manifest', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const { bytes } = registry.addImage('a', '1', Buffer.from('x'));
  let head: Record<string, string> = {};
  let body: Buffer | string = '';
  registry.intercept = (request, response) => {
    if (!isManifest(request)) return false;
    response.writeHead(200, head).end(body);
    return true;
  };
  const type = mediaTypes.ociManifest;
  const table: [head: Record<string, string>, body: Buffer | string, message: RegExp][] = [
    [
      { 'content-type': 'text/html; charset=utf-8' },
      '<html>login</html>',
      /a web page came back instead of a manifest/,
    ],
    [{ 'content-type': type }, '{{{', /no JSON came back/],
    [
      { 'content-type': type, 'docker-content-digest': digestOf('other') },
      bytes,
      /manifest verification failed for digest/,
    ],
    [
      { 'content-type': mediaTypes.ociIndex },
      bytes,
      /announced as .*index.* but the document says .*manifest/,
    ],
    [{ 'content-type': mediaTypes.dockerSchema1Signed }, '{"schemaVersion":1}', /schema 1 was retired/],
    [{ 'content-type': 'application/json' }, '{"schemaVersion":1}', /schema 1 was retired/],
    [{ 'content-type': 'application/json' }, '{"a":1}', /unsupported media type "application\/json"/],
    [{ 'content-type': type }, Buffer.alloc((4 << 20) + 1, 32), /the manifest is larger than 4194304 bytes/],
    [{ 'content-type': type, 'content-length': '9999999999' }, '', /the manifest is larger than/],
  ];
  const repository = client.repository(`${registry.host}/a`, {}, 'pull');
  for (const [givenHead, givenBody, message] of table) {
    head = givenHead;
    body = givenBody;
    await assert.rejects(repository.fetchManifest('1', never), { message });
  }
  head = { 'content-type': 'application/json' };
  body = bytes;
  assert.equal((await repository.fetchManifest('1', never)).descriptor.mediaType, type);
  await assert.rejects(
    repository.fetchManifest(digestOf('other'), never),
    /manifest verification failed for digest/,
  );
});

test('requests are tried again after resets, 5xx and 429, but not for ever', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  registry.addImage('a', '1', Buffer.from('x'));
  const repository = client.repository(`${registry.host}/a`, {}, 'pull');
  for (const misbehave of ['reset', 'stall', 'half', '503', '429'] as const) {
    let left = 2;
    registry.intercept = (request, response) => {
      if (!isManifest(request) || left-- <= 0) return false;
      if (misbehave === 'reset') request.socket.resetAndDestroy();
      if (misbehave === 'half') {
        response.writeHead(200, { 'content-type': mediaTypes.ociManifest, 'content-length': '100' });
        response.write('{');
        response.destroy();
      }
      if (misbehave === '503') response.writeHead(503).end();
      if (misbehave === '429') response.writeHead(429, { 'retry-after': '0' }).end();
      return true;
    };
    await repository.fetchManifest('1', never);
    if (misbehave === 'stall') continue;
    left = 99;
    await assert.rejects(repository.fetchManifest('1', never), misbehave);
    assert.equal(left, 96, misbehave);
  }
});

test('a request whose signal is aborted ends at once with its reason', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const image = registry.addImage('a', '1', randomBytes(100_000));
  const repository = client.repository(`${registry.host}/a`, {}, 'pull');
  const arrived = Promise.withResolvers<undefined>();
  registry.intercept = (request, response) => {
    if (isManifest(request)) arrived.resolve(undefined);
    if (isBlob(request)) response.writeHead(200).write('x');
    return isManifest(request) || isBlob(request);
  };
  const abort = new AbortController();
  const fetched = repository.fetchManifest('1', { signal: abort.signal });
  await arrived.promise;
  abort.abort(new Error('gone'));
  await assert.rejects(fetched, /gone/);
  const second = new AbortController();
  const stream = await repository.fetchBlob(image.layer, { signal: second.signal });
  const read = buffer(stream);
  second.abort(new Error('gone too'));
  await assert.rejects(read, /gone too/);
});

test('fetchBlob() continues a broken transfer where it stopped', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const layer = randomBytes(5_000_000);
  const image = registry.addImage('a', '1', layer);
  const repository = client.repository(`${registry.host}/a`, {}, 'pull');
  for (const honoursRange of [true, false]) {
    for (const how of ['reset', 'stall', 'end'] as const) {
      // A reset drops bytes under way: without ranges, nobody can tell how far each attempt gets.
      if (how === 'reset' && !honoursRange) continue;
      let interruptions = how === 'stall' ? 1 : 5;
      registry.intercept = (request, response) => {
        if (!isBlob(request)) return false;
        if (!honoursRange) delete request.headers.range;
        if (interruptions-- <= 0) return false;
        const start = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
        // Without ranges each attempt gets further than the one before.
        const end = honoursRange ? start + 1_100_000 : (5 - interruptions) * 900_000;
        if (start > 0) response.writeHead(206, { 'content-range': `bytes ${start}-4999999/5000000` });
        response.write(layer.subarray(start, Math.min(end, 4_900_000)), () => {
          if (how === 'reset') request.socket.resetAndDestroy();
          if (how === 'end') response.end();
        });
        return true;
      };
      const got = await buffer(await repository.fetchBlob(image.layer, never));
      assert.ok(got.equals(layer), `${how} ${honoursRange}`);
    }
  }
});

test('fetchBlob() gives up on a transfer that never gets on, and on surplus bytes', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const image = registry.addImage('a', '1', randomBytes(1000));
  const repository = client.repository(`${registry.host}/a`, {}, 'pull');
  let body = Buffer.alloc(10);
  let head: Record<string, string | number> = {};
  registry.intercept = (request, response) => {
    if (!isBlob(request)) return false;
    response.writeHead(200, head).end(body);
    return true;
  };
  const fetch = async (): Promise<Buffer> => await buffer(await repository.fetchBlob(image.layer, never));
  await assert.rejects(fetch(), /broke off after 10 of 1000 bytes: unexpected EOF/);
  assert.equal(registry.requests.filter((each) => each.path.includes('/blobs/')).length, 3);
  body = Buffer.alloc(1001);
  await assert.rejects(fetch(), /more bytes than the blob has|has 1000 bytes, but the registry sends 1001/);
  head = { 'transfer-encoding': 'chunked' };
  await assert.rejects(fetch(), /more bytes than the blob has/);
  head = { 'content-type': 'text/html', 'transfer-encoding': 'chunked' };
  await assert.rejects(fetch(), /a web page came back instead of a blob/);
  registry.intercept = (request, response) =>
    isBlob(request) && sendError(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
  await assert.rejects(fetch(), { kind: 'notFound', message: 'blob unknown: blob unknown to registry' });
});

test('redirects are followed, and carry no credentials to another host', async () => {
  await using registry = await FakeRegistry.open();
  await using storage = await FakeRegistry.open();
  await using client = open();
  const layer = randomBytes(1000);
  const image = registry.addImage('a', '1', layer);
  storage.blobs.set(image.layer.digest, layer);
  let target = '';
  registry.intercept = (request, response, url) => {
    if (request.headers.authorization !== basicBob) {
      return sendError(response, 401, 'UNAUTHORIZED', 'x', { 'www-authenticate': 'Basic realm="r"' });
    }
    if (!isBlob(request) || url.searchParams.has('again')) return false;
    response.writeHead(307, { location: target }).end();
    return true;
  };
  const repository = client.repository(`${registry.host}/a`, bob, 'pull');
  const path = `/v2/a/blobs/${image.layer.digest}`;
  target = `http://${storage.host}${path}`;
  assert.ok((await buffer(await repository.fetchBlob(image.layer, never))).equals(layer));
  assert.equal(storage.requests.length, 1);
  assert.equal(storage.requests[0]?.headers.authorization, undefined);
  target = `${path}?again=1`;
  assert.ok((await buffer(await repository.fetchBlob(image.layer, never))).equals(layer));
  target = path;
  await assert.rejects(repository.fetchBlob(image.layer, never), /stopped after 10 redirects/);
  target = 'file:///etc/passwd';
  await assert.rejects(repository.fetchBlob(image.layer, never), /refused to follow a redirect/);
});

test('Basic challenges get the credentials, or say that there are none', async () => {
  await using registry = await FakeRegistry.open();
  registry.addImage('a', '1', Buffer.from('x'));
  registry.intercept = (request, response) =>
    request.headers.authorization !== basicBob &&
    sendError(response, 401, 'UNAUTHORIZED', 'authentication required', {
      'www-authenticate': 'Basic realm="r"',
    });
  await using client = open();
  const fetch = (auth: RegistryAuth): Promise<unknown> =>
    client.repository(`${registry.host}/a`, auth, 'pull').fetchManifest('1', never);
  await fetch(bob);
  await assert.rejects(fetch({}), {
    message: `Get "http://${registry.host}/v2/a/manifests/1": no basic auth credentials`,
  });
  await assert.rejects(fetch({ username: 'bob', password: 'bad' }), {
    kind: 'unauthenticated',
    message: 'unauthorized: authentication required',
  });
});

test('Bearer tokens are fetched once per scope and renewed when refused', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const image = registry.addImage('a', '1', Buffer.from('x'));
  let granted = 0;
  requireToken(registry, (request, url) => {
    granted += 1;
    assert.equal(request.headers.authorization, basicBob);
    assert.equal(url.searchParams.get('account'), 'bob');
    assert.equal(url.searchParams.get('service'), 'fake');
    assert.equal(url.searchParams.get('scope'), 'repository:a:pull');
    return { token: granted === 1 ? 'good-1' : 'good-2', expires_in: 300 };
  });
  const repository = client.repository(`${registry.host}/a`, bob, 'pull');
  const readBlob = async (): Promise<Buffer> => await buffer(await repository.fetchBlob(image.layer, never));
  await Promise.all([repository.fetchManifest('1', never), readBlob(), readBlob()]);
  assert.equal(granted, 1);
  const { intercept } = registry;
  registry.intercept = (request, response, url) => {
    if (request.headers.authorization === 'Bearer good-1') delete request.headers.authorization;
    return intercept(request, response, url);
  };
  await readBlob();
  assert.equal(granted, 2);
});

test('token servers that refuse or talk rubbish are named', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  registry.addImage('a', '1', Buffer.from('x'));
  const fetch = (auth: RegistryAuth): Promise<unknown> =>
    client.repository(`${registry.host}/a`, auth, 'pull').fetchManifest('1', never);
  const prefix = `Get "http://${registry.host}/v2/a/manifests/1": `;
  requireToken(registry, () => undefined);
  await assert.rejects(fetch(bob), {
    kind: 'unauthenticated',
    message: `${prefix}unauthorized: incorrect username or password`,
  });
  requireToken(registry, () => ({}));
  await assert.rejects(fetch({}), {
    message: `${prefix}authorization server did not include a token in the response`,
  });
  requireToken(registry, () => ({ token: 'bad\r\nX-Evil: 1' }));
  await assert.rejects(fetch({}), /did not include a token/);
  requireToken(registry, () => ({ token: 'unwanted' }));
  await assert.rejects(fetch({}), { kind: 'unauthenticated' });
});

test('identity tokens are exchanged, registry tokens are sent as they are', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  registry.addImage('a', '1', Buffer.from('x'));
  let form = '';
  requireToken(registry, () => ({ token: 'good' }));
  const { intercept } = registry;
  registry.intercept = async (request, response, url) => {
    if (request.method !== 'POST') return intercept(request, response, url);
    form = (await buffer(request)).toString();
    response.end(JSON.stringify({ access_token: 'good' }));
    return true;
  };
  await client.repository(`${registry.host}/a`, { identitytoken: 'id' }, 'pull').fetchManifest('1', never);
  assert.deepEqual(Object.fromEntries(new URLSearchParams(form)), {
    grant_type: 'refresh_token',
    service: 'fake',
    client_id: 'docker',
    scope: 'repository:a:pull',
    refresh_token: 'id',
  });
  await client.repository(`${registry.host}/a`, { registrytoken: 'good' }, 'pull').fetchManifest('1', never);
});

test('mirrors come first for docker.io, and get no credentials', async () => {
  await using mirror = await FakeRegistry.open();
  await using second = await FakeRegistry.open();
  await using client = open([`http://${mirror.host}`, `http://${second.host}`]);
  const layer = randomBytes(100);
  const image = mirror.addImage('library/x', 'latest', layer);
  const repository = client.repository('docker.io/library/x', bob, 'pull');
  mirror.intercept = (request, response) => {
    assert.equal(request.headers.authorization, undefined);
    return isBlob(request) && sendError(response, 404, 'BLOB_UNKNOWN', 'blob unknown');
  };
  assert.deepEqual((await repository.fetchManifest('latest', never)).descriptor, image.manifest);
  assert.equal(second.requests.length, 0);
  second.blobs.set(image.layer.digest, layer);
  assert.ok((await buffer(await repository.fetchBlob(image.layer, never))).equals(layer));
});

test('pushBlob(), mountBlob(), hasBlob(), pushManifest() and listTags() fill a repository', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const repository = client.repository(`${registry.host}/a/b`, {}, 'push,pull');
  const data = randomBytes(2_000_000);
  const blob: Descriptor = { mediaType: mediaTypes.ociLayer, digest: digestOf(data), size: data.length };
  assert.equal(await repository.hasBlob(blob.digest, never), false);
  assert.equal(await repository.mountBlob(blob.digest, `${registry.host}/other`, never), false);
  assert.equal(registry.paths('DELETE').length, 1);
  await repository.pushBlob(
    blob,
    () => Promise.resolve(Readable.from([data.subarray(0, 9), data.subarray(9)])),
    never,
  );
  assert.ok(registry.blobs.get(blob.digest)?.equals(data));
  const put = registry.requests.find((each) => each.method === 'PUT');
  assert.equal(put?.headers['content-length'], String(data.length));
  assert.equal(await repository.hasBlob(blob.digest, never), true);
  assert.equal(await repository.mountBlob(blob.digest, `${registry.host}/other`, never), true);
  assert.equal(await repository.mountBlob(blob.digest, 'elsewhere.example/other', never), false);
  const { bytes } = registry.addImage('other', '1', Buffer.from('x'));
  const digest = await repository.pushManifest('v1', mediaTypes.ociManifest, bytes, never);
  assert.equal(digest, digestOf(bytes));
  assert.deepEqual(await repository.listTags(never), ['v1']);
  assert.deepEqual((await repository.fetchManifest('v1', never)).bytes, bytes);
});

test('pushBlob() tries again with a fresh stream, and tells refusals', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const repository = client.repository(`${registry.host}/a`, {}, 'push,pull');
  const data = randomBytes(500_000);
  const blob: Descriptor = { mediaType: mediaTypes.ociLayer, digest: digestOf(data), size: data.length };
  let opened = 0;
  const source = (): Promise<Readable> => {
    opened += 1;
    return Promise.resolve(Readable.from([data]));
  };
  let left = 2;
  registry.intercept = (request) => {
    if (request.method !== 'PUT' || left-- <= 0) return false;
    request.socket.resetAndDestroy();
    return true;
  };
  await repository.pushBlob(blob, source, never);
  assert.equal(opened, 3);
  assert.ok(registry.blobs.has(blob.digest));
  for (const [status, code, text, message] of [
    [
      403,
      'DENIED',
      'requested access to the resource is denied',
      'denied: requested access to the resource is denied',
    ],
    [400, 'DIGEST_INVALID', 'provided digest did not match', 'digest invalid: provided digest did not match'],
  ] as const) {
    registry.intercept = (request, response) => {
      request.resume();
      return request.url?.includes('/uploads/') === true && sendError(response, status, code, text);
    };
    await assert.rejects(repository.pushBlob(blob, source, never), { message });
  }
  registry.intercept = (request, response) => {
    if (request.method !== 'POST') return false;
    response.writeHead(202).end();
    return true;
  };
  await assert.rejects(repository.pushBlob(blob, source, never), /names no upload location/);
});

test('login() proves Basic and Bearer credentials', async () => {
  await using basic = await FakeRegistry.open();
  await using bearer = await FakeRegistry.open();
  await using client = open();
  basic.intercept = (request, response) =>
    request.headers.authorization !== basicBob &&
    sendError(response, 401, 'UNAUTHORIZED', 'x', { 'www-authenticate': 'Basic realm="r"' });
  requireToken(bearer, (request, url) => {
    assert.equal(url.searchParams.get('offline_token'), 'true');
    return request.headers.authorization === basicBob ? { token: 'good', refresh_token: 'id' } : undefined;
  });
  const bad = { username: 'bob', password: 'bad' };
  assert.equal(await client.login(basic.host, bob, never), '');
  assert.equal(await client.login(`http://${bearer.host}/v2/`, bob, never), 'id');
  await assert.rejects(client.login(basic.host, bad, never), {
    kind: 'unauthenticated',
    message: `login attempt to http://${basic.host}/v2/ failed with status: 401 Unauthorized`,
  });
  await assert.rejects(client.login(bearer.host, bad, never), {
    kind: 'unauthenticated',
    message: `Get "http://${bearer.host}/v2/": unauthorized: incorrect username or password`,
  });
  await assert.rejects(client.login('127.0.0.1:1', bob, never), {
    message: 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
  });
});

test('no forged digest or name becomes another path of the registry', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  const repository = client.repository(`${registry.host}/a`, {}, 'pull');
  // What a caller that skipped parseDigest() would pass.
  const forged = { mediaType: '', digest: 'sha256:../../x' as Digest, size: 1 };
  await assert.rejects(repository.fetchBlob(forged, never), { kind: 'invalidArgument' });
  await assert.rejects(repository.fetchManifest('../../x', never), { kind: 'invalidArgument' });
  assert.throws(() => client.repository(`${registry.host}/../x`, {}, 'pull'), { kind: 'invalidArgument' });
  assert.equal(registry.requests.length, 0);
});
