import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { isKind } from '#kernel';
import type { ImageOffer, WantedBlob } from './image-handover.ts';
import { chunks, dockerArchiveFiles, publish, tarOf } from './testing/archives.ts';
import { openImageStore, transfer, type ImageStoreBench } from './testing/image-store.ts';

const base = await tarOf({ 'etc/name': 'base', 'bin/tool': randomBytes(300_000) });
const top = await tarOf({ 'etc/other': 'top' });

const offerOf = (store: ImageStoreBench, name: string): Promise<ImageOffer> =>
  store.images.handover.offer(name, { compress: false, signal: new AbortController().signal });

interface Handing {
  /** How the bytes of a blob are carried; as they are by default. */
  readonly carry?: (blob: WantedBlob, bytes: Readable) => Readable;
  readonly abort?: AbortController;
}

/** Hands an image over; resolves to the lines and what was asked for. */
async function handOver(
  from: ImageStoreBench,
  to: ImageStoreBench,
  offer: ImageOffer,
  { carry = (_, bytes) => bytes, abort = new AbortController() }: Handing = {},
): Promise<{ lines: readonly string[]; wanted: readonly WantedBlob[] }> {
  const { lines, ...options } = transfer(abort.signal);
  const wanted: WantedBlob[] = [];
  const want = (blob: WantedBlob): void => {
    wanted.push(blob);
    void from.images.handover
      .read(blob.digest, blob.offset)
      .then((bytes) => to.images.handover.deliver(blob, carry(blob, bytes)).catch(() => void bytes.destroy()))
      .catch(() => undefined);
  };
  await to.images.handover.receive(offer, { ...options, words: 'push', want });
  return { lines, wanted };
}

test('an image goes from store to store with names, digests and all, and only once', async () => {
  await using from = await openImageStore();
  await using to = await openImageStore();
  const manifest = publish(from.registry, 'library/x', [base, top], { tags: ['1'] });
  await from.images.pull('x:1', transfer());
  const offer = await offerOf(from, 'x:1');
  const { lines, wanted } = await handOver(from, to, offer);
  assert.equal(lines[0], 'The push refers to image [x:1]');
  assert.equal(lines.at(-1), `1: digest: ${manifest.digest} size: ${manifest.size}`);
  assert.equal(wanted.length, 4);
  assert.deepEqual(
    { ...to.images.get('x:1'), lastTaggedAt: 0n },
    { ...from.images.get('x:1'), lastTaggedAt: 0n },
  );
  assert.deepEqual(to.images.get('x:1').digests, [`x@${manifest.digest}`]);
  assert.deepEqual(await offerOf(to, 'x:1'), offer);
  assert.deepEqual(await to.leftovers(), []);

  const again = await handOver(from, to, offer);
  assert.deepEqual(again.wanted, []);
  assert.equal(again.lines.filter((line) => line.endsWith('Layer already exists')).length, 2);
});

test('receive() asks again for what broke off, from where it broke off', async () => {
  await using from = await openImageStore();
  await using to = await openImageStore();
  publish(from.registry, 'library/x', [base], { tags: ['1'] });
  await from.images.pull('x:1', transfer());
  const offer = await offerOf(from, 'x:1');
  const layer = offer.layers[0]?.digest;
  let breaks = 1;
  const carry = (blob: WantedBlob, bytes: Readable): Readable => {
    if (blob.digest !== layer || breaks === 0) return bytes;
    breaks -= 1;
    return Readable.from(
      (async function* () {
        for await (const chunk of bytes as AsyncIterable<Buffer>) {
          yield chunk.subarray(0, 1000);
          throw Object.assign(new Error('the wire was pulled'), { code: 'ECONNRESET' });
        }
      })(),
      { objectMode: false },
    );
  };
  const { wanted } = await handOver(from, to, offer, { carry });
  const offsets = wanted.filter(({ digest }) => digest === layer).map(({ offset }) => offset);
  assert.deepEqual(offsets, [0, 1000]);
  assert.equal(to.images.get('x:1').id, offer.id);
});

test('what has arrived is kept when the sender goes away, and let go when another receipt is done', async () => {
  await using from = await openImageStore();
  await using to = await openImageStore();
  publish(from.registry, 'library/x', [base, top], { tags: ['1'] });
  await from.images.pull('x:1', transfer());
  const offer = await offerOf(from, 'x:1');
  const last = offer.layers[1]?.digest;
  const abort = new AbortController();
  const carry = (blob: WantedBlob, bytes: Readable): Readable => {
    if (blob.digest === last) abort.abort(new Error('the client went away'));
    return bytes;
  };
  await assert.rejects(handOver(from, to, offer, { carry, abort }), /the client went away/);
  assert.equal(to.images.find('x:1'), undefined);
  const { wanted } = await handOver(from, to, offer);
  assert.ok(wanted.length <= 2, `${wanted.length} blobs`);
  assert.equal(to.images.get('x:1').id, offer.id);
  assert.deepEqual(await to.leftovers(), []);
});

test('an image that is there with another manifest gets the one that comes', async () => {
  await using from = await openImageStore();
  await using to = await openImageStore();
  publish(from.registry, 'library/x', [base], { tags: ['1'] });
  await from.images.pull('x:1', transfer());
  const offer = await offerOf(from, 'x:1');
  await to.images.load(chunks(await tarOf(dockerArchiveFiles([base], ['other:1']))), transfer());
  assert.equal(to.images.get('other:1').id, offer.id);
  await handOver(from, to, offer);
  for (const name of ['x:1', 'other:1']) assert.deepEqual(to.images.get(name).target, offer.target);
  assert.deepEqual(await offerOf(to, 'x:1'), offer);
  assert.deepEqual(await to.leftovers(), []);
});

test('receive() refuses offers that do not hold, and deliver() what nobody waits for', async () => {
  await using from = await openImageStore();
  await using to = await openImageStore();
  publish(from.registry, 'library/x', [base], { tags: ['1'] });
  publish(from.registry, 'library/y', [top], { tags: ['1'] });
  for (const name of ['x:1', 'y:1']) await from.images.pull(name, transfer());
  const [x, y] = [await offerOf(from, 'x:1'), await offerOf(from, 'y:1')];
  await assert.rejects(handOver(from, to, { ...x, layers: y.layers }), /does not fit its manifest/);
  await assert.rejects(handOver(from, to, { ...x, id: y.id }), /does not fit its manifest/);
  const spoiled = (_: WantedBlob, bytes: Readable): Readable =>
    Readable.from(
      (async function* () {
        for await (const chunk of bytes as AsyncIterable<Buffer>) yield chunk.map((byte) => byte ^ 1);
      })(),
      { objectMode: false },
    );
  await assert.rejects(handOver(from, to, x, { carry: spoiled }), /verification failed/);
  assert.deepEqual(await to.leftovers(), []);
  const blob = { receipt: 'none', digest: x.id, offset: 0 };
  await assert.rejects(to.images.handover.deliver(blob, Readable.from([])), (error) =>
    isKind(error, 'notFound'),
  );
  await assert.rejects(offerOf(to, 'x:1'), /No such image: x:1/);
});
