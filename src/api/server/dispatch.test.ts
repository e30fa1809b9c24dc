import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { execFileSync } from 'node:child_process';
import { get as httpsGet } from 'node:https';
import { conflict } from '#kernel';
import { createApiServer } from './api-server.ts';
import {
  fakeContainer,
  fakeEngine,
  fakeImage,
  fakeNetwork,
  fakeVolume,
  type FakeEngine,
} from './fake/backends.ts';

interface Setup {
  readonly engine: FakeEngine;
  readonly path: string;
  readonly ask: (method: string, path: string, options?: RequestOptions) => Promise<IncomingMessage>;
}

interface RequestOptions {
  readonly body?: string | Uint8Array | Readable;
  readonly headers?: Readonly<Record<string, string>>;
}

async function setUp(t: TestContext): Promise<Setup> {
  const folder = mkdtempSync(join(tmpdir(), 'api-'));
  const engine = fakeEngine();
  engine.containers.push(fakeContainer());
  engine.images.push(fakeImage());
  engine.networks.push(fakeNetwork());
  engine.volumes.push(fakeVolume());
  const server = createApiServer({ backends: engine.backends, engineVersion: '1' });
  const path = join(folder, 's');
  await server.listen({ path });
  t.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  return {
    engine,
    path,
    ask: async (method, target, { body, headers = {} } = {}) =>
      new Promise((resolve, reject) => {
        const outgoing = request({ socketPath: path, method, path: target, headers, agent: false }, resolve);
        outgoing.on('error', reject);
        if (body instanceof Readable) body.pipe(outgoing);
        else outgoing.end(body);
      }),
  };
}

const json = async (incoming: IncomingMessage): Promise<unknown> => JSON.parse(await text(incoming));
const jsonType = { 'Content-Type': 'application/json' };

test('errors become the status of their kind, once', async (t) => {
  const { engine, ask } = await setUp(t);
  engine.override({ start: async () => Promise.reject(conflict('held')) });
  const answer = await ask('POST', '/containers/web/start');
  assert.equal(answer.statusCode, 409);
  assert.equal(await text(answer), '{"message":"held"}\n');
});

test('wait sends its headers before the container ends', async (t) => {
  const { engine, ask } = await setUp(t);
  const exit = Promise.withResolvers<{ statusCode: number }>();
  engine.override({ wait: () => ({ result: exit.promise }) });
  const answer = await ask('POST', '/v1.45/containers/web/wait?condition=next-exit');
  assert.equal(answer.statusCode, 200);
  exit.resolve({ statusCode: 42 });
  assert.equal(await text(answer), '{"StatusCode":42}\n');
});

test('a client that goes away aborts what waits for it', async (t) => {
  const { engine, path } = await setUp(t);
  const gone = Promise.withResolvers<undefined>();
  engine.override({
    wait: (_ref, _condition, { signal }) => {
      signal.addEventListener('abort', () => gone.resolve(undefined));
      return { result: gone.promise.then(() => Promise.reject(new Error('aborted'))) };
    },
  });
  const socket = connect(path);
  socket.write('POST /containers/web/wait HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
  await gone.promise;
});

test('an early error leaves a large upload readable and the connection usable', async (t) => {
  const { path } = await setUp(t);
  const socket = connect(path);
  t.after(() => socket.destroy());
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString();
  });
  const size = 4 * 1024 * 1024;
  socket.write(`PUT /containers/web/archive HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`);
  socket.write(Buffer.alloc(size));
  socket.write('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
  while (!received.endsWith('OK')) await new Promise((resolve) => socket.once('data', resolve));
  assert.match(received, /^HTTP\/1\.1 400 Bad Request\r\n/);
});

test('create reads its body in the newest form', async (t) => {
  const { engine, ask } = await setUp(t);
  const body = JSON.stringify({ image: 'busybox', MacAddress: '02:00:00:00:00:01' });
  await ask('POST', '/v1.43/containers/create?name=x', { body, headers: jsonType });
  await ask('POST', '/v1.52/containers/create?name=y', { body, headers: jsonType });
  const [old, current] = engine.calls.map(([, request]) => request);
  assert.deepEqual(old, {
    Image: 'busybox',
    MacAddress: '02:00:00:00:00:01',
    NetworkingConfig: { EndpointsConfig: { default: { MacAddress: '02:00:00:00:00:01' } } },
  });
  assert.deepEqual(current, { Image: 'busybox', MacAddress: '02:00:00:00:00:01' });
});

test('events are parted by lines, with their nanoseconds whole, and old keys for old clients', async (t) => {
  const { engine, ask } = await setUp(t);
  engine.events.push({
    Type: 'container',
    Action: 'start',
    Actor: { ID: 'abc', Attributes: { image: 'busybox', 'com.docker.compose.project': 'p' } },
    scope: 'local',
    time: 1_795_303_427,
    timeNano: 1_795_303_427_123_097_193n,
  });
  const current = await ask('GET', '/events?until=2000000000');
  assert.equal(current.headers['content-type'], 'application/jsonl');
  assert.equal(
    await text(current),
    '{"Type":"container","Action":"start","Actor":{"ID":"abc","Attributes":{"image":"busybox","com.docker.compose.project":"p"}},"scope":"local","time":1795303427,"timeNano":1795303427123097193}\n',
  );
  const old = await ask('GET', '/v1.45/events?until=2000000000');
  assert.equal(old.headers['content-type'], 'application/json');
  assert.match(await text(old), /^\{"status":"start","id":"abc","from":"busybox","Type"/);
  for (const [filters, count] of [
    ['{"label":{"com.docker.compose.project=p":true}}', 1],
    ['{"label":["com.docker.compose.project=q"]}', 0],
    ['{"event":["start"],"type":["container"]}', 1],
    ['{"event":["die"]}', 0],
    ['{"container":["ab"]}', 1],
    ['{"image":["busybox"]}', 1],
    ['{"image":["nginx"]}', 0],
  ] as const) {
    const answer = await ask('GET', `/events?until=2000000000&filters=${encodeURIComponent(filters)}`);
    assert.equal((await text(answer)).split('\n').length - 1, count, filters);
  }
});

test('a live stream of events sends its headers at once', async (t) => {
  const { ask } = await setUp(t);
  const answer = await ask('GET', '/events');
  assert.equal(answer.statusCode, 200);
  answer.destroy();
});

test('answers lose what came after the version asked for', async (t) => {
  const { ask } = await setUp(t);
  const newest = (await json(await ask('GET', '/containers/json'))) as readonly object[];
  assert.ok('Health' in (newest[0] ?? {}));
  const older = (await json(await ask('GET', '/v1.51/containers/json'))) as readonly object[];
  assert.ok(!('Health' in (older[0] ?? {})));
  const image = (await json(await ask('GET', '/v1.43/images/busybox/json'))) as object;
  assert.ok('VirtualSize' in image && 'ContainerConfig' in image && 'Parent' in image);
  const usage = (await json(await ask('GET', '/v1.51/system/df'))) as object;
  assert.deepEqual(Object.keys(usage), ['LayersSize', 'Images', 'Containers', 'Volumes', 'BuildCache']);
});

test('a failure within progress ends the stream with a message, one before it is an error', async (t) => {
  const { engine, ask } = await setUp(t);
  let early = true;
  Object.assign(engine.backends.images, {
    pull: async (_ref: string, { report }: { report: (event: object) => void }) => {
      if (!early) report({ status: 'Pulling from x', id: '1' });
      return Promise.reject(conflict('no'));
    },
  });
  const refused = await ask('POST', '/images/create?fromImage=x&tag=1');
  assert.equal(refused.statusCode, 409);
  refused.resume();
  early = false;
  const answer = await ask('POST', '/images/create?fromImage=x&tag=1');
  assert.equal(answer.statusCode, 200);
  assert.equal(
    await text(answer),
    '{"status":"Pulling from x","progressDetail":{},"id":"1"}\r\n{"errorDetail":{"message":"no"},"error":"no"}\r\n',
  );
});

test('archives are passed on as they come', async (t) => {
  const { engine, ask } = await setUp(t);
  const answer = await ask('PUT', '/containers/web/archive?path=/&copyUIDGID=1', {
    body: Readable.from(['one', 'two']),
  });
  assert.equal(answer.statusCode, 200);
  const chunks = engine.calls.filter(([name]) => name === 'chunk').map(([, chunk]) => chunk);
  assert.equal(chunks.join(''), 'onetwo');
});

test('prune removes unused volumes that nobody named, all of them for old clients', async (t) => {
  const { engine, ask } = await setUp(t);
  engine.volumes.push(fakeVolume({ name: 'anonymous', anonymous: true }));
  const current = await json(await ask('POST', '/v1.45/volumes/prune'));
  assert.deepEqual(current, { VolumesDeleted: ['anonymous'], SpaceReclaimed: 7 });
  const old = await json(await ask('POST', '/v1.41/volumes/prune'));
  assert.deepEqual(old, { VolumesDeleted: ['data', 'anonymous'], SpaceReclaimed: 14 });
});

for (const [query, names] of [
  ['', ['web']],
  ['all=1', ['web', 'old']],
  ['limit=1', ['web']],
  ['limit=2', ['web', 'old']],
  ['all=1&limit=1', ['web']],
  ['filters={"status":["exited"]}', ['old']],
  ['filters={"exited":["3"]}', []],
  ['all=1&filters={"exited":["3"]}', ['old']],
  ['filters={"exited":["4"]}', []],
  ['all=1&filters={"name":["^/web$"]}', ['web']],
  ['all=1&filters={"label":["x=y"]}', ['web']],
  ['all=1&filters={"id":["22"]}', ['old']],
  ['all=1&filters={"ancestor":["busybox"]}', ['web', 'old']],
  ['all=1&filters={"ancestor":["nope"]}', []],
  ['all=1&filters={"before":["web"]}', ['old']],
  ['all=1&filters={"since":["old"]}', ['web']],
  ['all=1&filters={"network":["bridge"]}', ['web', 'old']],
  ['all=1&filters={"volume":["data"]}', ['old']],
  ['all=1&filters={"expose":["8080-8090/tcp"]}', []],
  ['all=1&filters={"health":["none"],"is-task":["false"]}', ['web', 'old']],
  ['all=1&filters={"is-task":["true"]}', []],
] as const) {
  test(`GET /containers/json?${query} lists ${names.join(', ') || 'none'}`, async (t) => {
    const { engine, ask } = await setUp(t);
    engine.containers.push(
      fakeContainer({
        id: '2'.repeat(64),
        name: 'old',
        createdAt: 5n,
        config: { ExposedPorts: { '8088/tcp': {} } },
        state: { status: 'exited', exitCode: 3, startedAt: 6n, finishedAt: 7n, oomKilled: false },
        mounts: [
          {
            type: 'volume',
            name: 'data',
            source: '/x',
            destination: '/d',
            mode: '',
            rw: true,
            propagation: '',
            copyUp: true,
          },
        ],
      }),
    );
    const path = query.includes('=') ? query.replace(/(?<=filters=).*/, encodeURIComponent) : '';
    const found = (await json(await ask('GET', `/containers/json?${path}`))) as { Names: string[] }[];
    assert.deepEqual(
      found.map(({ Names }) => Names[0]),
      names.map((name) => `/${name}`),
    );
  });
}

test('listen() takes over a socket that nobody serves, and no other', async (t) => {
  const { engine, path } = await setUp(t);
  await using second = createApiServer({ backends: engine.backends, engineVersion: '1' });
  await assert.rejects(second.listen({ path }), { kind: 'conflict' });
});

test('listen() with a certificate authority serves only clients that it signed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'api-tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): unknown =>
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const extension = ['-addext', 'subjectAltName=IP:127.0.0.1'];
  for (const name of ['server', 'stranger']) {
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '1',
      '-subj',
      `/CN=${name}`,
      ...extension,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
    );
  }
  const pem = (name: string): { key: string; cert: string } => ({
    key: readFileSync(file(`${name}.key`), 'utf8'),
    cert: readFileSync(file(`${name}.pem`), 'utf8'),
  });
  const own = pem('server');
  await using server = createApiServer({ backends: fakeEngine().backends, engineVersion: '1' });
  // A certificate that signed itself is its own authority.
  const address = await server.listen({ host: '127.0.0.1', port: 0, tls: { ...own, ca: own.cert } });
  assert.ok('port' in address);
  const ping = async (client: object): Promise<string> =>
    new Promise((resolve, reject) => {
      const url = `https://127.0.0.1:${address.port}/_ping`;
      httpsGet(url, { ca: own.cert, agent: false, ...client }, (answer) => resolve(text(answer))).on(
        'error',
        reject,
      );
    });
  assert.equal(await ping(own), 'OK');
  await assert.rejects(ping({}));
  await assert.rejects(ping(pem('stranger')));
});
