import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { digestOf, type Descriptor } from '#oci';
import { createRegistryClient, type RegistryClient } from './index.ts';
import { FakeRegistry, sendError } from './testing/fake-registry.ts';
import { UploadDesk } from './testing/upload-desk.ts';

const { signal } = new AbortController();
const never = { signal };
const patience = { stallTimeout: 500, firstDelay: 1, longestDelay: 50, connectTimeout: 2_000 };

const open = (): RegistryClient =>
  createRegistryClient({ mirrors: [], insecureRegistries: [], userAgent: 'wharf/test', patience });

const describeBlob = (bytes: Buffer): Descriptor => ({
  mediaType: 'x',
  digest: digestOf(bytes),
  size: bytes.length,
});

/** Pushes a blob; answers the offsets that its bytes were asked for from. */
async function push(registry: FakeRegistry, bytes: Buffer): Promise<readonly number[]> {
  await using client = open();
  const offsets: number[] = [];
  await client.repository(`${registry.host}/a`, {}, 'push,pull').pushBlob(
    describeBlob(bytes),
    (offset) => {
      offsets.push(offset);
      return Promise.resolve(Readable.from(chunks(bytes.subarray(offset)), { objectMode: false }));
    },
    never,
  );
  return offsets;
}

function* chunks(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

test('pushBlob() sends a blob in one piece', async () => {
  await using registry = await FakeRegistry.open();
  const desk = new UploadDesk(registry);
  const bytes = randomBytes(1_000_000);
  assert.deepEqual(await push(registry, bytes), [0]);
  assert.deepEqual(desk.log, ['POST', `PUT ${bytes.length}`]);
  assert.ok(registry.blobs.get(digestOf(bytes))?.equals(bytes));
});

test('pushBlob() asks after a break how far the registry has got, and goes on there', async () => {
  await using registry = await FakeRegistry.open();
  const desk = new UploadDesk(registry);
  const bytes = randomBytes(2_000_000);
  desk.breaks = [600_000, 1_300_000];
  const offsets = await push(registry, bytes);
  const [first, second, third] = offsets;
  assert.equal(first, 0);
  assert.ok(second !== undefined && second >= 600_000 && second < 1_300_000, String(second));
  assert.ok(third !== undefined && third >= 1_300_000, String(third));
  assert.ok(registry.blobs.get(digestOf(bytes))?.equals(bytes));
  assert.ok(desk.received < bytes.length + 100);
});

test('pushBlob() begins anew where the registry has forgotten the upload', async () => {
  await using registry = await FakeRegistry.open();
  const desk = new UploadDesk(registry);
  desk.forgets = true;
  desk.breaks = [600_000];
  const bytes = randomBytes(1_000_000);
  assert.deepEqual(await push(registry, bytes), [0, 0]);
  assert.ok(registry.blobs.get(digestOf(bytes))?.equals(bytes));
});

test('pushBlob() does not send again what arrived although its answer was lost', async () => {
  await using registry = await FakeRegistry.open();
  const desk = new UploadDesk(registry);
  desk.losesAnswers = 1;
  assert.deepEqual(await push(registry, randomBytes(200_000)), [0]);
});

test('pushBlob() takes a blob apart that is too large for one request', async () => {
  await using registry = await FakeRegistry.open();
  const desk = new UploadDesk(registry);
  desk.limit = 9 << 20;
  const bytes = randomBytes(20 << 20);
  await push(registry, bytes);
  const piece = 8 << 20;
  assert.deepEqual(
    desk.log.filter((line) => line.startsWith('PATCH')),
    [`PATCH 0-${piece - 1}`, `PATCH ${piece}-${2 * piece - 1}`, `PATCH ${2 * piece}-${bytes.length - 1}`],
  );
  assert.ok(registry.blobs.get(digestOf(bytes))?.equals(bytes));
});

test('pushBlob() gives up after several breaks without progress, and says why', async () => {
  await using registry = await FakeRegistry.open();
  registry.intercept = (request) => {
    if (request.method === 'PUT') request.socket.destroy();
    return request.method === 'PUT';
  };
  await assert.rejects(push(registry, randomBytes(500_000)), /reset by peer|broken pipe|unexpected EOF/);
});

test('mountBlob() is refused by a source that is closed, and the blob can be sent', async () => {
  await using registry = await FakeRegistry.open();
  await using client = open();
  registry.intercept = (_request, response, url) =>
    url.searchParams.has('mount') && sendError(response, 403, 'DENIED', 'not yours');
  const repository = client.repository(`${registry.host}/a`, {}, 'push,pull');
  assert.equal(await repository.mountBlob(digestOf('x'), `${registry.host}/secret`, never), false);
});
