import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { digestOf, parseDigest, type Digest } from '#oci';
import type { BlobInfo, ContentStore } from '../content-store.ts';

/** Makes an empty, started store; `leftovers` lists what ingests have left behind. */
export type StoreFactory = () => Promise<
  AsyncDisposable & { readonly store: ContentStore; leftovers(): Promise<readonly string[]> }
>;

const absent = parseDigest(`sha256:${'0'.repeat(64)}`);

async function ingestAll(
  store: ContentStore,
  data: Uint8Array,
  digest: Digest,
  step: number,
): Promise<BlobInfo> {
  await using ingest = await store.ingest({ expected: { digest, size: data.length } });
  for (let at = 0; at < data.length; at += step) await ingest.write(data.subarray(at, at + step));
  return await ingest.commit();
}

async function walked(store: ContentStore): Promise<readonly BlobInfo[]> {
  return await Array.fromAsync(store.walk());
}

function testWriting(title: string, open: StoreFactory): void {
  void test(`${title}: read() of an ingest gives what was written so far`, async () => {
    await using fixture = await open();
    const data = randomBytes((3 << 20) + 17);
    await using ingest = await fixture.store.ingest({ expected: { digest: digestOf(data) } });
    let read = 0;
    for (let at = 0; at < data.length; at += 400_000) {
      assert.equal((await ingest.read(at, 10)).length, 0);
      await ingest.write(data.subarray(at, at + 400_000));
      const end = Math.min(at + 400_000, data.length);
      while (read < end) {
        const bytes = await ingest.read(read, 300_000);
        assert.ok(bytes.length > 0 && Buffer.from(bytes).equals(data.subarray(read, read + bytes.length)));
        read += bytes.length;
      }
    }
    await ingest.commit();
    await assert.rejects(ingest.read(0, 1));
  });
  void test(`${title}: ingest() takes chunks of any size and makes the blob visible on commit`, async () => {
    await using fixture = await open();
    const { store } = fixture;
    for (const [size, step] of [
      [0, 1],
      [1, 1],
      [100_000, 777],
      [(2 << 20) + 5, 65_536],
      [3 << 20, 5 << 20],
    ] as const) {
      const data = randomBytes(size);
      const digest = digestOf(data);
      assert.deepEqual(await ingestAll(store, data, digest, step), { digest, size });
      assert.deepEqual(await store.find(digest), { digest, size });
      assert.deepEqual(await buffer(await store.openStream(digest)), data);
    }
    assert.deepEqual(await fixture.leftovers(), []);
  });

  void test(`${title}: ingest() without an expectation computes sha256; sha512 works where asked for`, async () => {
    await using fixture = await open();
    await using ingest = await fixture.store.ingest();
    await ingest.write(Buffer.from('abc'));
    assert.equal((await ingest.commit()).digest, digestOf('abc'));
    for (const algorithm of ['sha256', 'sha512'] as const) {
      await using late = await fixture.store.ingest({ key: algorithm });
      await late.write(Buffer.from('ghi'));
      assert.equal((await late.commit(digestOf('ghi', algorithm))).digest, digestOf('ghi', algorithm));
      await using wrong = await fixture.store.ingest({ key: 'wrong' });
      await wrong.write(Buffer.from('jkl'));
      await assert.rejects(wrong.commit(digestOf('mno', algorithm)), { kind: 'invalidArgument' });
    }
    await using unwanted = await fixture.store.ingest({ key: 'unwanted' });
    await unwanted.write(Buffer.from('pqr'));
    await unwanted.abandon();
    assert.deepEqual(await fixture.leftovers(), []);
    const data = Buffer.from('def');
    assert.equal(
      (await ingestAll(fixture.store, data, digestOf(data, 'sha512'), 3)).digest,
      digestOf(data, 'sha512'),
    );
  });

  void test(`${title}: put() is idempotent and refuses other bytes`, async () => {
    await using fixture = await open();
    const { store } = fixture;
    const data = Buffer.from('abc');
    const info = { digest: digestOf(data), size: 3 };
    assert.deepEqual(await store.put(data), info);
    assert.deepEqual(await store.put(data, info.digest), info);
    await assert.rejects(store.put(data, absent), { kind: 'invalidArgument' });
    assert.deepEqual(await walked(store), [info]);
  });

  void test(`${title}: parallel ingests of one blob all succeed`, async () => {
    await using fixture = await open();
    const data = randomBytes(300_000);
    const digest = digestOf(data);
    await Promise.all(Array.from({ length: 8 }, () => ingestAll(fixture.store, data, digest, 50_000)));
    assert.equal((await walked(fixture.store)).length, 1);
    assert.deepEqual(await fixture.leftovers(), []);
  });
}

function testRefusing(title: string, open: StoreFactory): void {
  void test(`${title}: commit() refuses wrong, short and long bytes and leaves nothing`, async () => {
    await using fixture = await open();
    const { store } = fixture;
    const data = Buffer.from('abcdef');
    const cases: [digest: Digest, size: number | undefined][] = [
      [absent, 6],
      [absent, undefined],
      [digestOf(data), 7],
      [digestOf(data), 5],
    ];
    for (const key of [undefined, 'k']) {
      for (const [digest, size] of cases) {
        const expected = { digest, ...(size !== undefined && { size }) };
        await assert.rejects(
          async () => {
            await using ingest = await store.ingest({ expected, ...(key !== undefined && { key }) });
            await ingest.write(data);
            await ingest.commit();
          },
          { kind: 'invalidArgument' },
        );
        assert.equal(await store.find(digest), undefined);
      }
    }
    assert.deepEqual(await walked(store), []);
    assert.deepEqual(await fixture.leftovers(), []);
  });

  void test(`${title}: an ingest disposed without commit leaves nothing, a closed one takes nothing`, async () => {
    await using fixture = await open();
    const ingest = await fixture.store.ingest();
    await ingest.write(randomBytes(2_000_000));
    await ingest[Symbol.asyncDispose]();
    await ingest[Symbol.asyncDispose]();
    await assert.rejects(ingest.write(Buffer.from('x')));
    await assert.rejects(ingest.commit());
    assert.deepEqual(await fixture.leftovers(), []);
    assert.deepEqual(await walked(fixture.store), []);
  });
}

function testResuming(title: string, open: StoreFactory): void {
  void test(`${title}: a keyed ingest resumes where it stopped`, async () => {
    await using fixture = await open();
    const { store } = fixture;
    const data = randomBytes(3_000_001);
    const options = { key: 'layer', expected: { digest: digestOf(data), size: data.length } };
    const cuts = [0, 10, 1_500_000, data.length];
    for (let n = 0; n + 1 < cuts.length; n += 1) {
      await using ingest = await store.ingest(options);
      assert.equal(ingest.offset, cuts[n]);
      await assert.rejects(store.ingest(options), { kind: 'conflict' });
      await ingest.write(data.subarray(cuts[n], cuts[n + 1]));
    }
    await using last = await store.ingest(options);
    assert.equal(last.offset, data.length);
    await last.commit();
    assert.deepEqual(Buffer.from(await store.read(options.expected.digest)), data);
    assert.deepEqual(await fixture.leftovers(), []);
  });

  void test(`${title}: another key, or the key for another blob, starts anew`, async () => {
    await using fixture = await open();
    const { store } = fixture;
    const [one, two] = [digestOf('one'), digestOf('two')];
    {
      await using ingest = await store.ingest({ key: 'a', expected: { digest: one } });
      await ingest.write(Buffer.from('on'));
    }
    await using other = await store.ingest({ key: 'a', expected: { digest: two } });
    assert.equal(other.offset, 0);
    await using third = await store.ingest({ key: 'b', expected: { digest: one } });
    assert.equal(third.offset, 0);
    await using again = await store.ingest({ key: 'a', expected: { digest: one } });
    assert.equal(again.offset, 2);
  });
}

function testReading(title: string, open: StoreFactory): void {
  void test(`${title}: readers of an absent blob get notFound before any byte`, async () => {
    await using fixture = await open();
    const { store } = fixture;
    assert.equal(await store.find(absent), undefined);
    for (const read of [
      store.get(absent),
      store.openStream(absent),
      store.read(absent),
      store.path(absent),
    ]) {
      await assert.rejects(read, { kind: 'notFound' });
    }
    await store.remove(absent);
  });

  void test(`${title}: openStream() serves ranges, end exclusive`, async () => {
    await using fixture = await open();
    const { digest } = await fixture.store.put(Buffer.from('0123456789'));
    const table: [range: { start?: number; end?: number }, text: string][] = [
      [{}, '0123456789'],
      [{ start: 3 }, '3456789'],
      [{ end: 3 }, '012'],
      [{ start: 2, end: 4 }, '23'],
      [{ start: 4, end: 4 }, ''],
      [{ start: 10 }, ''],
      [{ start: 8, end: 100 }, '89'],
    ];
    for (const [range, text] of table) {
      assert.equal((await buffer(await fixture.store.openStream(digest, range))).toString(), text);
    }
    await assert.rejects(fixture.store.openStream(digest, { start: 3, end: 2 }), { kind: 'invalidArgument' });
  });

  void test(`${title}: read() refuses what is over its limit; remove() removes; walk() lists`, async () => {
    await using fixture = await open();
    const { store } = fixture;
    const [a, b] = [await store.put(Buffer.from('aaa')), await store.put(Buffer.from('bbbb'))];
    await assert.rejects(store.read(b.digest, 3), { kind: 'invalidArgument' });
    assert.equal(Buffer.from(await store.read(a.digest, 3)).toString(), 'aaa');
    assert.deepEqual(new Set((await walked(store)).map((info) => info.size)), new Set([3, 4]));
    await store.remove(a.digest);
    await store.remove(a.digest);
    assert.deepEqual(await walked(store), [b]);
  });
}

/** What every content store keeps to. */
export function contentStoreSuite(title: string, open: StoreFactory): void {
  testWriting(title, open);
  testRefusing(title, open);
  testResuming(title, open);
  testReading(title, open);
}
