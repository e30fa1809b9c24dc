import assert from 'node:assert/strict';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { setXattr } from '#linux';
import { createArchiver, readTar, tarHeader, writeTar, type NewTarEntry, type TarHeader } from './index.ts';
import { temporaryFolder } from './testing/tree.ts';

const archiver = createArchiver();
after(() => archiver[Symbol.asyncDispose]());
const { signal } = new AbortController();
const temporary = temporaryFolder();
const folder = temporary.path;
after(() => temporary[Symbol.dispose]());

const second = 1_000_000_000n;

async function entriesOf(stream: Readable | AsyncIterable<Uint8Array>): Promise<[TarHeader, string][]> {
  const entries: [TarHeader, string][] = [];
  for await (const { header, content } of readTar(stream)) {
    const data = await Array.fromAsync<Uint8Array>(content);
    entries.push([header, Buffer.concat(data).toString()]);
  }
  return entries;
}

const bytesOf = async (entries: readonly NewTarEntry[]): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(writeTar(entries)));

test('clampTimes() takes times back to the latest allowed, and leaves everything else as it is', async () => {
  const content = Buffer.from('content');
  const tar = await bytesOf([
    { header: tarHeader({ name: 'old', mtime: 5n * second, size: 7, uid: 3, mode: 0o4755 }), content },
    { header: tarHeader({ name: 'new/', type: 'folder', mtime: 20n * second + 1n, userName: 'me' }) },
    { header: tarHeader({ name: 'link', type: 'symlink', linkName: 'old', mtime: 11n * second }) },
  ]);
  for (const [name, bytes] of [
    ['plain', tar],
    ['compressed', gzipSync(tar)],
  ] as const) {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    const { stream, done } = archiver.clampTimes({ path }, { latest: 10n * second, signal });
    const entries = await entriesOf(stream);
    assert.deepEqual(
      entries.map(([header, text]) => [
        header.name,
        header.mtime,
        header.mode,
        header.uid,
        header.userName,
        text,
      ]),
      [
        ['old', 5n * second, 0o4755, 3, '', 'content'],
        ['new/', 10n * second, 0o755, 0, '', ''],
        ['link', 10n * second, 0o644, 0, '', ''],
      ],
    );
    assert.deepEqual(await done, await done);
    assert.equal((await done).entries, 3);
  }
});

test('clampTimes() of two layers that differ in their times alone gives the same bytes', async () => {
  const of = async (mtime: bigint): Promise<string> => {
    const path = join(folder, 'layer');
    writeFileSync(
      path,
      await bytesOf([{ header: tarHeader({ name: 'x', mtime, size: 1 }), content: Buffer.from('x') }]),
    );
    const { stream, done } = archiver.clampTimes({ path }, { latest: 10n * second, signal });
    stream.resume();
    return (await done).diffId;
  };
  assert.equal(await of(11n * second), await of(12n * second + 345n));
});

test('pack() gives every entry the time that it is told', async () => {
  const root = join(folder, 'tree');
  mkdirSync(join(root, 'sub'), { recursive: true });
  writeFileSync(join(root, 'sub/file'), 'x');
  setXattr(join(root, 'sub/file'), 'user.x', Buffer.from('y'));
  utimesSync(join(root, 'sub/file'), 99, 99);
  const { stream } = archiver.pack({ root, name: '', mtime: 7n * second, signal });
  const entries = await entriesOf(stream);
  assert.deepEqual(
    entries.map(([{ name, mtime }]) => [name, mtime]),
    [
      ['sub/', 7n * second],
      ['sub/file', 7n * second],
    ],
  );
});
