import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { access, mkdtemp, readFile, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { digestOf, type Digest } from '#oci';
import { contentStoreSuite } from '../conformance/content-store-suite.ts';
import { createLocalContentStore } from '../index.ts';

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'wharf-content-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

contentStoreSuite('local', async () => {
  const folder = await temporaryFolder();
  const store = createLocalContentStore({ root: join(folder.path, 'content') });
  await store.start();
  return {
    store,
    leftovers: () => readdir(join(folder.path, 'content/ingest')),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});

test('start() removes what earlier runs left, except young resumable bytes', async () => {
  await using folder = await temporaryFolder();
  const store = createLocalContentStore({ root: folder.path, partialLifetime: 60_000 });
  await store.start();
  for (const key of ['young', 'old']) {
    await using ingest = await store.ingest({ key });
    await ingest.write(Buffer.from(key));
  }
  const ingests = join(folder.path, 'ingest');
  for (const name of await readdir(ingests)) {
    const isOld = (await readFile(join(ingests, name), 'utf8')) === 'old';
    if (isOld) await utimes(join(ingests, name), 0, 0);
  }
  await writeFile(join(ingests, 'new-abc'), 'killed');
  await createLocalContentStore({ root: folder.path, partialLifetime: 60_000 }).start();
  assert.equal((await readdir(ingests)).length, 1);
  await using young = await store.ingest({ key: 'young' });
  assert.equal(young.offset, 5);
});

test('openStream() leaves no file open when nobody has begun to read', async () => {
  await using folder = await temporaryFolder();
  const store = createLocalContentStore({ root: folder.path });
  await store.start();
  const { digest } = await store.put(Buffer.from('abcdef'));
  const path = await store.path(digest);
  const openings = (): number =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === path;
      } catch {
        return false;
      }
    }).length;
  // Seen to be whole by this process, and not yet.
  for (const one of [store, createLocalContentStore({ root: folder.path })]) {
    const stream = await one.openStream(digest);
    assert.equal(openings(), 1);
    stream.destroy();
    await finished(stream).catch(() => undefined);
    while (openings() > 0) await setImmediate();
  }
});

test('put() replaces a blob that was cut short behind its back; read() refuses a damaged one', async () => {
  await using folder = await temporaryFolder();
  const store = createLocalContentStore({ root: folder.path });
  await store.start();
  const data = Buffer.from('abcdef');
  const { digest } = await store.put(data);
  const path = await store.path(digest);
  await writeFile(path, 'abcdeX');
  await assert.rejects(store.read(digest), /damaged on disk/);
  await truncate(path, 3);
  await store.put(data);
  assert.deepEqual(Buffer.from(await store.read(digest)), data);
});

test('openStream() never hands on all of a damaged blob, and put() and a replacing ingest mend it', async () => {
  await using folder = await temporaryFolder();
  const store = createLocalContentStore({ root: folder.path });
  await store.start();
  const data = randomBytes(1_000_000);
  const { digest } = await store.put(data);
  const path = await store.path(digest);
  const spoil = async (): Promise<void> => {
    const bytes = Buffer.from(data);
    bytes[500_000] = (bytes[500_000] ?? 0) ^ 1;
    await writeFile(path, bytes);
  };
  const readAll = async (start: number, from = store): Promise<Buffer> =>
    Buffer.concat((await Array.fromAsync(await from.openStream(digest, { start }))) as Buffer[]);
  for (const start of [0, 1, 300_000, 999_999]) {
    await spoil();
    const chunks: Uint8Array[] = [];
    await assert.rejects(async () => {
      for await (const chunk of await store.openStream(digest, { start })) chunks.push(chunk as Uint8Array);
    }, /damaged on disk/);
    assert.ok(Buffer.concat(chunks).length < data.length - start);
    await assert.rejects(store.pathOfWhole(digest), /damaged on disk/);
    await store.put(data);
    assert.equal(await store.pathOfWhole(digest), path);
    assert.deepEqual(await readAll(start), data.subarray(start));
    // Nobody has seen it whole yet.
    const another = createLocalContentStore({ root: folder.path });
    assert.deepEqual(await readAll(start, another), data.subarray(start));
    assert.deepEqual(await readAll(start, another), data.subarray(start));
  }
  await spoil();
  for (const replaces of [false, true]) {
    await using ingest = await store.ingest({ expected: { digest, size: data.length }, replaces });
    await ingest.write(data);
    await ingest.commit();
    const reading = readAll(0);
    if (replaces) assert.deepEqual(await reading, data);
    else await assert.rejects(reading, { kind: 'internal' });
  }
});

test('no forged digest becomes a path outside the store', async () => {
  await using folder = await temporaryFolder();
  const store = createLocalContentStore({ root: join(folder.path, 'content') });
  await store.start();
  const victim = join(folder.path, 'victim');
  await writeFile(victim, 'x');
  // What a caller that skipped parseDigest() would pass.
  const forged = 'sha256:../../../victim' as Digest;
  await assert.rejects(store.remove(forged), { kind: 'invalidArgument' });
  await assert.rejects(store.path(forged), { kind: 'invalidArgument' });
  await access(victim);
});

test('commit() on a full disk names it and frees what was taken', async () => {
  await using folder = await temporaryFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder.path]);
  try {
    const store = createLocalContentStore({ root: folder.path });
    await store.start();
    for (const key of [undefined, 'resumable']) {
      const data = randomBytes(6 << 20);
      const expected = { digest: digestOf(data), size: data.length };
      await assert.rejects(
        async () => {
          await using ingest = await store.ingest({ expected, ...(key !== undefined && { key }) });
          for (let at = 0; at < data.length; at += 65_536) await ingest.write(data.subarray(at, at + 65_536));
          await ingest.commit();
        },
        { kind: 'internal', message: `no space left on device: the disk under ${folder.path} is full` },
      );
      assert.deepEqual(await readdir(join(folder.path, 'ingest')), []);
    }
    await store.put(randomBytes(1 << 20));
  } finally {
    execFileSync('umount', [folder.path]);
  }
});
