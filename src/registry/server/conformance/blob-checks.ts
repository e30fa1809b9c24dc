import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { digestOf, type Digest, type DigestAlgorithm } from '#oci';
import { checkDigest, checkErrors, type Bytes, type ConformanceClient } from './conformance-client.ts';
import { chunkHeaders, sendChunk, thirdOf, uploads } from './uploads.ts';

interface Blob {
  readonly digest: Digest;
  readonly bytes: Bytes;
}

/** Where a blob suite works: two repositories that are its own. */
export interface BlobChecks {
  readonly client: ConformanceClient;
  readonly repository: string;
  readonly other: string;
  readonly algorithm: DigestAlgorithm;
}

const size = 4096;

function makeBlob(algorithm: DigestAlgorithm, bytes: Bytes = randomBytes(size)): Blob {
  return { bytes, digest: digestOf(bytes, algorithm) };
}

const pathOf = (repository: string, { digest }: Blob): string => `/v2/${repository}/blobs/${digest}`;

export async function checkBlobIsThere(
  client: ConformanceClient,
  repository: string,
  blob: Blob,
): Promise<void> {
  const head = await client.expect(200, 'HEAD', pathOf(repository, blob));
  assert.equal(head.headers.get('content-length'), String(blob.bytes.length));
  checkDigest(head.headers, blob.digest, blob.bytes);
  const { headers, body } = await client.expect(200, 'GET', pathOf(repository, blob));
  assert.ok(body.equals(blob.bytes), 'other bytes than were pushed');
  checkDigest(headers, blob.digest, blob.bytes);
}

export async function checkBlobGoes(
  client: ConformanceClient,
  repository: string,
  blob: Blob,
): Promise<void> {
  await client.expect(202, 'DELETE', pathOf(repository, blob));
  for (const method of ['HEAD', 'GET', 'DELETE']) {
    const { body } = await client.expect(404, method, pathOf(repository, blob));
    if (method === 'GET') checkErrors(body, 'BLOB_UNKNOWN');
  }
}

/** "Pushing blobs", each way to its end and with bytes that lie. */
export async function checkUploads(t: TestContext, checks: BlobChecks): Promise<void> {
  const { client, repository, algorithm } = checks;
  for (const [way, upload] of Object.entries(uploads)) {
    await t.test(`a blob is pushed ${way}`, async () => {
      const blob = makeBlob(algorithm);
      const answer = await upload(client, repository, blob);
      await client.checkPushed(answer, blob.bytes);
      await checkBlobIsThere(client, repository, blob);
      await checkBlobGoes(client, repository, blob);
    });
    await t.test(`a blob pushed ${way} under a digest it does not have is refused`, async () => {
      const { digest } = makeBlob(algorithm);
      const wrong = await upload(client, repository, { digest, bytes: randomBytes(size) }, 400);
      checkErrors(wrong.body, 'DIGEST_INVALID', 'BLOB_UPLOAD_INVALID');
      await client.expect(404, 'GET', `/v2/${repository}/blobs/${digest}`);
    });
    for (const [name, content] of [
      ['an empty blob', ''],
      ['an empty JSON object', '{}'],
    ] as const) {
      // A chunk has at least one byte, by the form of its range.
      if (content === '' && way.includes('chunk')) continue;
      await t.test(`${name} is pushed ${way}`, async () => {
        const blob = makeBlob(algorithm, new TextEncoder().encode(content));
        await upload(client, repository, blob);
        await checkBlobIsThere(client, repository, blob);
        await checkBlobGoes(client, repository, blob);
      });
    }
  }
}

/** "Pushing a blob in chunks": order, status and the end of an upload. */
export async function checkChunks(t: TestContext, checks: BlobChecks): Promise<void> {
  const { client, repository, algorithm } = checks;
  for (const method of ['PATCH', 'PUT']) {
    await t.test(`a ${method} out of order is refused, and the upload goes on where it says`, async () => {
      const { bytes, digest } = makeBlob(algorithm);
      const step = thirdOf(bytes);
      const begun = await client.beginUpload(repository, algorithm);
      let place = await sendChunk(client, begun.place, 0, bytes.subarray(0, step));
      const late = bytes.subarray(2 * step);
      await client.expect(416, method, place, {
        headers: chunkHeaders(2 * step, late),
        body: late,
        query: method === 'PUT' ? [['digest', digest]] : [],
      });
      const again = bytes.subarray(0, step);
      await client.expect(416, 'PATCH', place, { headers: chunkHeaders(0, again), body: again });
      const status = await client.expect(204, 'GET', place);
      assert.equal(status.headers.get('range'), `0-${step - 1}`);
      place = client.locationOf(status.headers);
      place = await sendChunk(client, place, step, bytes.subarray(step, 2 * step));
      await client.expect(201, 'PUT', place, {
        query: [['digest', digest]],
        headers: chunkHeaders(2 * step, late),
        body: late,
      });
      await checkBlobIsThere(client, repository, { bytes, digest });
      await checkBlobGoes(client, repository, { bytes, digest });
    });
  }
  await t.test('the first chunk stands at 0', async () => {
    const { bytes } = makeBlob(algorithm);
    const { place } = await client.beginUpload(repository, algorithm);
    await client.expect(416, 'PATCH', place, { headers: chunkHeaders(10, bytes), body: bytes });
  });
  await t.test('an upload that was cancelled is gone', async () => {
    const { bytes } = makeBlob(algorithm);
    const { place } = await client.beginUpload(repository, algorithm);
    const next = await sendChunk(client, place, 0, bytes);
    await client.expect(204, 'DELETE', next);
    const { body } = await client.expect(404, 'GET', next);
    checkErrors(body, 'BLOB_UPLOAD_UNKNOWN');
  });
  await t.test('an upload ends with a digest, and a valid one', async () => {
    for (const digest of [undefined, 'sha256:short', 'md5:d41d8cd98f00b204e9800998ecf8427e', '']) {
      const { place } = await client.beginUpload(repository, algorithm);
      const query = digest === undefined ? [] : [['digest', digest] as const];
      const { body } = await client.expect(400, 'PUT', place, { query });
      checkErrors(body, 'DIGEST_INVALID');
    }
  });
}

/** "Mounting a blob from another repository". */
export async function checkMounts(t: TestContext, checks: BlobChecks): Promise<void> {
  const { client, repository, other, algorithm } = checks;
  const mount = (blob: Blob, ...from: readonly string[]): [string, { query: [string, string][] }] => [
    `/v2/${repository}/blobs/uploads/`,
    { query: [['mount', blob.digest], ...from.map((name): [string, string] => ['from', name])] },
  ];
  const push = async (blob: Blob): Promise<void> => {
    await uploads['by POST and PUT']?.(client, other, blob);
  };
  for (const [name, from] of [
    ['from the repository that is named', [other]],
    ['from wherever it is', []],
  ] as const) {
    await t.test(`a blob is mounted ${name}`, async () => {
      const blob = makeBlob(algorithm);
      await push(blob);
      await client.expect(404, 'HEAD', pathOf(repository, blob));
      const answer = await client.expect(201, 'POST', ...mount(blob, ...from));
      await client.checkPushed(answer, blob.bytes);
      await checkBlobGoes(client, other, blob);
      await checkBlobIsThere(client, repository, blob);
      await checkBlobGoes(client, repository, blob);
    });
  }
  await t.test('a blob that is not there becomes an upload', async () => {
    const blob = makeBlob(algorithm);
    const answer = await client.expect(202, 'POST', ...mount(blob, other));
    await client.expect(201, 'PUT', client.locationOf(answer.headers), {
      query: [['digest', blob.digest]],
      body: blob.bytes,
    });
    await checkBlobGoes(client, repository, blob);
  });
}

/** "Pulling blobs": ranges (RFC 9110, section 14) and what is not there. */
export async function checkRanges(t: TestContext, checks: BlobChecks): Promise<void> {
  const { client, repository, algorithm } = checks;
  const blob = makeBlob(algorithm);
  await uploads['by POST and PUT']?.(client, repository, blob);
  for (const [range, start, end] of [
    ['500-1499', 500, 1500],
    ['500-', 500, size],
    ['-500', size - 500, size],
    ['4000-9999', 4000, size],
    ['0-0', 0, 1],
    [`-${size + 1}`, 0, size],
  ] as const) {
    await t.test(`bytes ${range} of a blob are pulled`, async () => {
      const { headers, body } = await client.expect(206, 'GET', pathOf(repository, blob), {
        headers: { Range: `bytes=${range}` },
      });
      assert.ok(body.equals(blob.bytes.subarray(start, end)), 'other bytes than were asked for');
      assert.equal(headers.get('content-length'), String(end - start));
      assert.match(
        headers.get('content-range') ?? '',
        new RegExp(`^bytes ${start}-${end - 1}/(${size}|\\*)$`),
      );
    });
  }
  for (const range of ['5000-10000', '500-0', `${size}-`, '-0']) {
    await t.test(`bytes ${range} of a blob cannot be had`, async () => {
      await client.expect(416, 'GET', pathOf(repository, blob), { headers: { Range: `bytes=${range}` } });
    });
  }
  await checkBlobGoes(client, repository, blob);
  await t.test('a blob that was never pushed is not found', async () => {
    for (const method of ['GET', 'HEAD', 'DELETE'])
      await client.expect(404, method, pathOf(repository, makeBlob(algorithm)));
  });
}
