import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLocalContentStore, type ContentStore } from '#content';
import { silentLogger, systemClock, unavailable } from '#kernel';
import { Database, Leases } from '#metadata';
import { digestOf, type Descriptor, type Digest } from '#oci';
import type { Snapshotter } from '#snapshots';
import { BlobDownloads } from './blob-downloads.ts';
import { Claims } from './claims.ts';
import { ImageIndex } from './image-index.ts';
import { MemoryRegistry } from './testing/memory-registry.ts';

interface Bench extends AsyncDisposable {
  readonly root: string;
  readonly registry: MemoryRegistry;
  readonly content: ContentStore;
  readonly claims: Claims;
  readonly downloads: BlobDownloads;
}

async function openBench(): Promise<Bench> {
  const root = mkdtempSync(join(tmpdir(), 'wharf-downloads-'));
  const db = new Database(':memory:');
  const content = createLocalContentStore({ root });
  await content.start();
  // Snapshots are not touched by downloads.
  const snapshots = {} as unknown as Snapshotter;
  const claims = new Claims(new Leases(db, systemClock), new ImageIndex(db, systemClock), content, snapshots);
  const downloads = new BlobDownloads({
    content,
    claims,
    logger: silentLogger,
    concurrency: 3,
    retryDelay: () => 1,
  });
  return {
    root,
    registry: new MemoryRegistry(),
    content,
    claims,
    downloads,
    [Symbol.asyncDispose]: () => {
      db[Symbol.dispose]();
      rmSync(root, { recursive: true });
      return Promise.resolve();
    },
  };
}

const data = randomBytes(300_000);
const signal = new AbortController().signal;
const describeBlob = (digest: Digest, size = data.length): Descriptor => ({ mediaType: 'x', digest, size });

test('fetch() continues where a broken connection ended', async () => {
  await using bench = await openBench();
  const { registry, downloads, content, claims } = bench;
  const digest = registry.putBlob('x', data);
  let breaks = 2;
  registry.onChunk = (_digest, position) => {
    if (position > 0 && position % 131072 === 0 && breaks-- > 0) throw unavailable('connection reset');
  };
  await using claim = claims.open();
  await claim.blob(digest);
  const retries: number[] = [];
  const watcher = {
    progress: () => undefined,
    verifying: () => undefined,
    retrying: (s: number) => retries.push(s),
  };
  await downloads.fetch(registry.repository('h/x'), describeBlob(digest), { signal, watcher });
  assert.ok(Buffer.from(await content.read(digest)).equals(data));
  assert.deepEqual(
    registry.requests.map((line) => line.split('@')[1]),
    ['0', '131072', '131072'],
  );
  assert.equal(retries.length, 2);
});

test('fetch() of one blob by several callers asks the registry once', async () => {
  await using bench = await openBench();
  const { registry, downloads, claims } = bench;
  const digest = registry.putBlob('x', data);
  await using claim = claims.open();
  await claim.blob(digest);
  const fetch = (): Promise<void> =>
    downloads.fetch(registry.repository('h/x'), describeBlob(digest), { signal });
  await Promise.all([fetch(), fetch(), fetch()]);
  await fetch();
  assert.equal(registry.requests.length, 1);
});

test('fetch() refuses bytes that are not what the digest says and keeps none', async () => {
  await using bench = await openBench();
  const { registry, downloads, content, claims, root } = bench;
  const digest = registry.putBlob('x', randomBytes(300_000), digestOf(data));
  await using claim = claims.open();
  await claim.blob(digest);
  const act = downloads.fetch(registry.repository('h/x'), describeBlob(digest), { signal });
  await assert.rejects(act, /verification failed/);
  assert.equal(await content.find(digest), undefined);
  assert.deepEqual(readdirSync(join(root, 'ingest')), []);
});

test('fetch() refuses more bytes than were announced', async () => {
  await using bench = await openBench();
  const { registry, downloads, claims } = bench;
  const digest = registry.putBlob('x', data);
  await using claim = claims.open();
  await claim.blob(digest);
  const act = downloads.fetch(registry.repository('h/x'), describeBlob(digest, 1000), { signal });
  await assert.rejects(act, /more than the 1000 bytes/);
});

test('fetch() gives up after several attempts, and keeps what came for the next time', async () => {
  await using bench = await openBench();
  const { registry, downloads, content, claims } = bench;
  const digest = registry.putBlob('x', data);
  let broken = true;
  registry.onChunk = (_digest, position) => {
    if (broken && position >= 65536) throw unavailable('connection reset');
  };
  await using claim = claims.open();
  await claim.blob(digest);
  const fetch = (): Promise<void> =>
    downloads.fetch(registry.repository('h/x'), describeBlob(digest), { signal });
  await assert.rejects(fetch(), /connection reset/);
  assert.equal(registry.requests.length, 5);
  broken = false;
  await fetch();
  assert.match(registry.requests.at(-1) ?? '', /@65536$/);
  assert.ok(await content.find(digest));
});
