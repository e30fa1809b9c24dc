import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { digestOf, mediaTypes, type Digest } from '#oci';
import { checkBlobGoes, checkBlobIsThere } from './blob-checks.ts';
import { checkDigest, checkErrors, type ConformanceClient } from './conformance-client.ts';
import { bytesOf, Material, type MaterialManifest } from './material.ts';
import { uploads } from './uploads.ts';

export interface ManifestChecks {
  readonly client: ConformanceClient;
  readonly repository: string;
}

const pathOf = (repository: string, reference: string): string => `/v2/${repository}/manifests/${reference}`;

async function pushManifest(
  { client, repository }: ManifestChecks,
  manifest: MaterialManifest,
  reference: string,
): Promise<Headers> {
  const answer = await client.expect(201, 'PUT', pathOf(repository, reference), {
    headers: { 'Content-Type': manifest.mediaType },
    body: manifest.bytes,
  });
  checkDigest(answer.headers, manifest.digest, manifest.bytes);
  assert.equal(answer.headers.get('oci-subject') ?? undefined, manifest.subject, 'OCI-Subject');
  await client.checkPushed(answer, manifest.bytes);
  return answer.headers;
}

async function checkManifestIsThere(
  { client, repository }: ManifestChecks,
  manifest: MaterialManifest,
  reference: string,
): Promise<void> {
  const headers = { Accept: `${mediaTypes.ociManifest}, ${mediaTypes.ociIndex}` };
  const head = await client.expect(200, 'HEAD', pathOf(repository, reference), { headers });
  const got = await client.expect(200, 'GET', pathOf(repository, reference), { headers });
  assert.ok(got.body.equals(manifest.bytes), 'other bytes than were pushed');
  assert.equal(head.headers.get('content-length'), String(manifest.bytes.length));
  for (const answer of [head, got]) {
    assert.equal(answer.headers.get('content-type'), manifest.mediaType);
    checkDigest(answer.headers, manifest.digest, manifest.bytes);
  }
}

async function push(checks: ManifestChecks, material: Material): Promise<void> {
  // The one that a registry need not have is judged elsewhere.
  const ways = Object.entries(uploads).flatMap(([name, way]) => (name === 'in one POST' ? [] : [way]));
  for (const [index, blob] of material.blobs.entries())
    await ways[index % ways.length]?.(checks.client, checks.repository, blob);
  for (const manifest of material.manifests) {
    await pushManifest(checks, manifest, manifest.digest);
    for (const tag of manifest.tags) await pushManifest(checks, manifest, tag);
  }
}

/** "Listing Tags": all of them, and those after one of them. */
async function checkTags({ client, repository }: ManifestChecks, material: Material): Promise<void> {
  const path = `/v2/${repository}/tags/list`;
  const list = async (...query: [string, string][]): Promise<readonly string[]> => {
    const { body } = await client.expect(200, 'GET', path, { query });
    const { name, tags } = JSON.parse(body.toString()) as { name: string; tags: readonly string[] | null };
    assert.equal(name, repository);
    return tags ?? [];
  };
  const pushed = material.manifests.flatMap(({ tags }) => tags);
  const all = await list();
  assert.deepEqual(new Set(all).size, all.length, 'a tag is listed twice');
  assert.deepEqual([...pushed].sort(), pushed.filter((tag) => all.includes(tag)).sort());
  for (const [index, tag] of all.entries()) assert.deepEqual(await list(['last', tag]), all.slice(index + 1));
  const [first] = all;
  if (first !== undefined) assert.deepEqual(await list(['n', '1']), [first]);
  const none = await client.expect(200, 'GET', path, { query: [['n', '0']] });
  assert.deepEqual((JSON.parse(none.body.toString()) as { tags: unknown[] | null }).tags ?? [], []);
  assert.equal(none.headers.get('link'), null);
}

interface Listed {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

async function referrers(
  { client, repository }: ManifestChecks,
  subject: Digest,
  artifactType?: string,
): Promise<readonly Listed[]> {
  const query = artifactType === undefined ? [] : [['artifactType', artifactType] as const];
  const { headers, body } = await client.expect(200, 'GET', `/v2/${repository}/referrers/${subject}`, {
    query,
  });
  assert.equal(headers.get('content-type'), mediaTypes.ociIndex);
  if (artifactType !== undefined) assert.equal(headers.get('oci-filters-applied'), 'artifactType');
  const index = JSON.parse(body.toString()) as { schemaVersion: number; manifests: readonly Listed[] };
  assert.equal(index.schemaVersion, 2);
  return index.manifests;
}

const listed = ({ digest, mediaType, bytes, artifactType, annotations }: MaterialManifest): Listed => ({
  digest,
  mediaType,
  size: bytes.length,
  ...(artifactType !== undefined && { artifactType }),
  ...(annotations && { annotations }),
});

const byDigest = (one: Listed, other: Listed): number => one.digest.localeCompare(other.digest);

/** "Listing Referrers", with and without a filter. */
async function checkReferrers(checks: ManifestChecks, material: Material): Promise<void> {
  for (const subject of new Set(material.manifests.map((manifest) => manifest.subject))) {
    if (subject === undefined) continue;
    const expected = material.manifests.filter((manifest) => manifest.subject === subject).map(listed);
    assert.deepEqual([...(await referrers(checks, subject))].sort(byDigest), expected.sort(byDigest));
    for (const type of new Set(expected.map((each) => each.artifactType))) {
      if (type === undefined) continue;
      const chosen = expected.filter((each) => each.artifactType === type);
      assert.deepEqual([...(await referrers(checks, subject, type))].sort(byDigest), chosen);
    }
    assert.deepEqual(await referrers(checks, subject, 'application/vnd.example.none'), []);
  }
}

async function checkDeletion(checks: ManifestChecks, material: Material): Promise<void> {
  const { client, repository } = checks;
  for (const manifest of material.manifests.toReversed()) {
    const [first] = manifest.tags;
    if (first !== undefined) {
      await client.expect(202, 'DELETE', pathOf(repository, first));
      await client.expect(404, 'GET', pathOf(repository, first));
      await checkManifestIsThere(checks, manifest, manifest.digest);
    }
    await client.expect(202, 'DELETE', pathOf(repository, manifest.digest));
    for (const reference of [manifest.digest, ...manifest.tags]) {
      const { body } = await client.expect(404, 'GET', pathOf(repository, reference));
      checkErrors(body, 'MANIFEST_UNKNOWN');
      await client.expect(404, 'HEAD', pathOf(repository, reference));
    }
    if (manifest.subject !== undefined) {
      const left = await referrers(checks, manifest.subject);
      assert.ok(!left.some(({ digest }) => digest === manifest.digest), 'a deleted referrer is listed');
    }
  }
  for (const blob of material.blobs) await checkBlobGoes(client, repository, blob);
}

/** One kind of content through its whole life. */
export async function checkMaterial(
  t: TestContext,
  checks: ManifestChecks,
  material: Material,
): Promise<void> {
  await t.test('is pushed', () => push(checks, material));
  await t.test('has its tags listed', () => checkTags(checks, material));
  await t.test('is found by digest and tag', async () => {
    for (const manifest of material.manifests) {
      for (const reference of [manifest.digest, ...manifest.tags])
        await checkManifestIsThere(checks, manifest, reference);
    }
    for (const blob of material.blobs) await checkBlobIsThere(checks.client, checks.repository, blob);
  });
  await t.test('has its referrers listed', () => checkReferrers(checks, material));
  await t.test('is deleted', () => checkDeletion(checks, material));
}

/** "Pushing Manifests", the tag parameter: one push by digest sets many tags. */
export async function checkTagParameters(checks: ManifestChecks, material: Material): Promise<void> {
  const { client, repository } = checks;
  const image = material.image({ layers: 1 });
  material.index([image]);
  for (const blob of material.blobs) await uploads['by POST and PUT']?.(client, repository, blob);
  for (const [number, manifest] of material.manifests.entries()) {
    const tags = Array.from({ length: 10 }, (_, index) => `tag-${number}-${index}`);
    const { headers } = await client.expect(201, 'PUT', pathOf(repository, manifest.digest), {
      headers: { 'Content-Type': manifest.mediaType },
      body: manifest.bytes,
      query: tags.map((tag) => ['tag', tag] as const),
    });
    const set = (headers.get('oci-tag') ?? '').split(',').map((tag) => tag.trim());
    assert.deepEqual(set.sort(), tags.sort());
    for (const tag of tags) await checkManifestIsThere(checks, manifest, tag);
  }
  await checkDeletion(checks, material);
}

/** What is no manifest, or not the one it is said to be. */
export async function checkBadManifests(t: TestContext, checks: ManifestChecks): Promise<void> {
  const { client, repository } = checks;
  const material = new Material();
  material.image({ layers: 1 });
  for (const blob of material.blobs) await uploads['by POST and PUT']?.(client, repository, blob);
  const [manifest] = material.manifests;
  assert.ok(manifest);
  const put = (reference: string, body: Uint8Array<ArrayBuffer>, type = manifest.mediaType) =>
    client.ask('PUT', pathOf(repository, reference), { headers: { 'Content-Type': type }, body });
  const absent = digestOf(randomBytes(8));
  await t.test('a manifest under a digest that it does not have is refused', async () => {
    assert.equal((await put(absent, manifest.bytes)).status, 400);
    await client.expect(404, 'GET', pathOf(repository, absent));
  });
  await t.test('a manifest under what is no digest is refused, and not found there', async () => {
    assert.equal((await put('sha256:baddigeststring', manifest.bytes)).status, 400);
    await client.expect([400, 404], 'GET', pathOf(repository, 'sha256:baddigeststring'));
  });
  await t.test('a manifest that was never pushed is not found', async () => {
    for (const reference of [absent, 'never-pushed']) {
      checkErrors((await client.expect(404, 'GET', pathOf(repository, reference))).body, 'MANIFEST_UNKNOWN');
      await client.expect(404, 'HEAD', pathOf(repository, reference));
      await client.expect(404, 'DELETE', pathOf(repository, reference));
    }
  });
  await t.test('what is no manifest is refused', async () => {
    for (const body of ['', 'no JSON', '[]', 'null', '{"schemaVersion":2', '{"schemaVersion":2}']) {
      const answer = await put('rubbish', new TextEncoder().encode(body));
      assert.equal(answer.status, 400, body);
      checkErrors(Buffer.from(await answer.arrayBuffer()), 'MANIFEST_INVALID');
    }
  });
  await t.test('a manifest of more than the registry takes is refused as too large', async () => {
    const large = bytesOf({ schemaVersion: 2, annotations: { a: 'x'.repeat(16 << 20) } });
    assert.equal((await put('too-large', large)).status, 413);
  });
  await t.test('a manifest of an image that is not there is refused by its error', async () => {
    const other = new Material();
    other.image();
    const answer = await put('absent', other.manifests[0]?.bytes ?? new Uint8Array());
    assert.ok(answer.status >= 400);
    checkErrors(Buffer.from(await answer.arrayBuffer()), 'MANIFEST_BLOB_UNKNOWN');
  });
  for (const blob of material.blobs) await checkBlobGoes(client, repository, blob);
}

/** A repository that holds nothing, and names that are none. */
export async function checkNothing(t: TestContext, { client, repository }: ManifestChecks): Promise<void> {
  const digest = digestOf(randomBytes(8));
  await t.test('a registry says that it is one', async () => {
    await client.expect(200, 'GET', '/v2/');
  });
  await t.test('tags of a repository that is not there', async () => {
    const { status, body } = await client.expect([200, 404], 'GET', `/v2/${repository}/tags/list`);
    if (status === 404) checkErrors(body, 'NAME_UNKNOWN');
  });
  await t.test('referrers of what is not there are none', async () => {
    assert.deepEqual(await referrers({ client, repository }, digest), []);
  });
  await t.test('referrers of what is no digest are refused', async () => {
    await client.expect(400, 'GET', `/v2/${repository}/referrers/sha256:short`);
  });
  await t.test('manifests and blobs of a repository that is not there', async () => {
    for (const path of [`manifests/${digest}`, 'manifests/latest', `blobs/${digest}`]) {
      await client.expect(404, 'GET', `/v2/${repository}/${path}`);
    }
  });
}
