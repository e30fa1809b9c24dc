import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { isKind, pathFromBytes } from '#kernel';
import { readTar, tarHeader, writeTar, type NewTarEntry, type TarHeader } from '../index.ts';

async function* chunksOf(data: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) {
    await Promise.resolve();
    yield data.subarray(at, at + size);
  }
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source));
}

interface Read {
  readonly header: TarHeader & { stored?: number };
  readonly data: Buffer;
}

async function readAll(tar: Buffer, chunk = 65536): Promise<Read[]> {
  const entries: Read[] = [];
  for await (const { header, content } of readTar(chunksOf(tar, chunk))) {
    entries.push({ header, data: await collect(content) });
  }
  return entries;
}

const write = async (entries: NewTarEntry[]): Promise<Buffer> => collect(writeTar(entries));

const name = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 150 }), { minLength: 1, maxLength: 3 })
  .map((parts) =>
    parts.map((part) => pathFromBytes(part.map((byte) => (byte === 0 || byte === 47 ? 97 : byte)))).join('/'),
  );
const header = fc.record({
  name,
  type: fc.constantFrom('file', 'hardlink', 'symlink', 'character', 'block', 'folder', 'fifo'),
  linkName: name,
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  gid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  userName: fc.string({ maxLength: 40 }).map((text) => text.replaceAll('\0', '')),
  mtime: fc.bigInt({ min: -(10n ** 19n), max: 10n ** 20n }),
  deviceMajor: fc.integer({ min: 0, max: 4095 }),
  deviceMinor: fc.integer({ min: 0, max: 1048575 }),
  xattrs: fc.uint8Array().map((value): ReadonlyMap<string, Uint8Array> => new Map([['security.x', value]])),
  data: fc.uint8Array({ maxLength: 2000 }),
});

test('readTar() gives back what writeTar() was given', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(header, { maxLength: 4 }),
      fc.integer({ min: 1, max: 2000 }),
      async (list, chunk) => {
        const entries = list.map(({ data, ...fields }) => {
          const isFile = fields.type === 'file';
          const isDevice = fields.type === 'character' || fields.type === 'block';
          return {
            header: tarHeader({
              ...fields,
              name: fields.name,
              linkName: fields.type.endsWith('link') ? fields.linkName : '',
              size: isFile ? data.length : 0,
              ...(isDevice ? {} : { deviceMajor: 0, deviceMinor: 0 }),
            }),
            content: isFile ? data : Buffer.alloc(0),
          };
        });
        const back = await readAll(await write(entries), chunk);
        assert.equal(back.length, entries.length);
        back.forEach(({ header: { stored, ...read }, data }, index) => {
          const { header: wanted, content } = entries[index]!;
          const suffix = wanted.type === 'folder' && !wanted.name.endsWith('/') ? '/' : '';
          assert.deepEqual(
            { ...read, xattrs: [...read.xattrs].map(([key, value]) => [key, Buffer.from(value)]) },
            {
              ...wanted,
              name: wanted.name + suffix,
              xattrs: [...wanted.xattrs].map(([key, value]) => [key, Buffer.from(value)]),
            },
          );
          assert.equal(stored, wanted.size);
          assert.deepEqual(data, Buffer.from(content));
        });
      },
    ),
    { numRuns: 300 },
  );
});

test('readTar() survives any damage with a bad-archive error', async () => {
  const tar = await write([
    { header: tarHeader({ name: `${'long/'.repeat(60)}x`, size: 700 }), content: Buffer.alloc(700, 1) },
    { header: tarHeader({ name: 'y', xattrs: new Map([['a', Buffer.from([0, 10, 255])]]) }) },
  ]);
  await fc.assert(
    fc.asyncProperty(fc.nat(tar.length - 1), fc.nat(255), fc.boolean(), async (at, byte, cut) => {
      const damaged = cut ? tar.subarray(0, at) : Buffer.from(tar);
      if (!cut) damaged[at] = byte;
      try {
        await readAll(damaged, 333);
      } catch (error) {
        assert.ok(isKind(error, 'invalidArgument'), String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('readTar() names truncation and checksums that lie', async () => {
  const tar = await write([{ header: tarHeader({ name: 'file', size: 2000 }), content: Buffer.alloc(2000) }]);
  await assert.rejects(readAll(tar.subarray(0, 1000)), /unexpected EOF in "file"/);
  await assert.rejects(readAll(tar.subarray(0, 100)), /unexpected EOF/);
  const lie = Buffer.from(tar);
  lie[0] = 0x67;
  await assert.rejects(readAll(lie), /checksum does not match/);
  assert.deepEqual(await readAll(Buffer.alloc(0)), []);
  assert.equal((await readAll(tar.subarray(0, 512 + 2048))).length, 1);
});

test('writeTar() refuses content of another length than announced', async () => {
  const entry = { header: tarHeader({ name: 'a', size: 3 }), content: Buffer.from('12') };
  await assert.rejects(write([entry]), /not 3 bytes long/);
});

test('sizes beyond 8 GiB and far dates travel', async () => {
  const big = 2 ** 40;
  const generator = writeTar([
    { header: tarHeader({ name: 'big', size: big, mtime: -1n }), content: chunksOf(Buffer.alloc(1), 1) },
  ]);
  const first = await generator.next();
  await generator.return();
  const reader = readTar(chunksOf(Buffer.from(first.value ?? []), 512));
  const entry = await reader.next();
  assert.equal(entry.value?.header.size, big);
  assert.equal(entry.value.header.mtime, -1n);
  await assert.rejects(reader.next(), /unexpected EOF/);
});

for (const format of ['gnu', 'posix', 'ustar', 'oldgnu', 'v7']) {
  test(`readTar() reads what GNU tar writes in format ${format}`, async () => {
    const root = mkdtempSync(join(tmpdir(), 'wharf-tar-'));
    try {
      const deep = format === 'v7' || format === 'ustar' ? 'deep' : 'd'.repeat(120);
      mkdirSync(join(root, 'in', deep), { recursive: true });
      writeFileSync(join(root, 'in', deep, 'file'), 'hello');
      linkSync(join(root, 'in', deep, 'file'), join(root, 'in/z-hard'));
      symlinkSync(format === 'v7' || format === 'ustar' ? 'x' : 'y'.repeat(150), join(root, 'in/soft'));
      execFileSync('tar', [
        '--format',
        format,
        '--sort=name',
        '-C',
        root,
        '-cf',
        join(root, 'out.tar'),
        'in',
      ]);
      const entries = await readAll(readFileSync(join(root, 'out.tar')));
      assert.deepEqual(
        entries.map((entry) => [
          entry.header.name,
          entry.header.type,
          entry.header.linkName,
          String(entry.data),
        ]),
        [
          ['in/', 'folder', '', ''],
          [`in/${deep}/`, 'folder', '', ''],
          [`in/${deep}/file`, 'file', '', 'hello'],
          ['in/soft', 'symlink', format === 'v7' || format === 'ustar' ? 'x' : 'y'.repeat(150), ''],
          ['in/z-hard', 'hardlink', `in/${deep}/file`, ''],
        ],
      );
    } finally {
      rmSync(root, { recursive: true });
    }
  });
}

for (const [format, version] of [
  ['gnu', ''],
  ['posix', '0.0'],
  ['posix', '0.1'],
  ['posix', '1.0'],
]) {
  test(`readTar() fills the holes of GNU sparse files, ${format} ${version}`, async () => {
    const root = mkdtempSync(join(tmpdir(), 'wharf-sparse-'));
    try {
      const path = join(root, 'sparse');
      const fd = openSync(path, 'w');
      // More runs than one old-style header holds.
      for (let run = 0; run < 40; run += 1) writeSync(fd, `run ${run}`, run * 262144 + 131072);
      closeSync(fd);
      truncateSync(path, 40 * 262144);
      const options = version === '' ? [] : [`--sparse-version=${version}`];
      execFileSync('tar', [
        `--format=${format!}`,
        '--sparse',
        ...options,
        '-C',
        root,
        '-cf',
        join(root, 'out.tar'),
        'sparse',
      ]);
      const tar = readFileSync(join(root, 'out.tar'));
      assert.ok(tar.length < 1 << 20);
      const [entry] = await readAll(tar);
      assert.equal(entry?.header.name, 'sparse');
      assert.ok((entry.header.sparse?.length ?? 0) >= 40);
      assert.deepEqual(entry.data, readFileSync(path));
    } finally {
      rmSync(root, { recursive: true });
    }
  });
}

test('GNU tar reads what writeTar() writes', async () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-tar-'));
  try {
    const long = `${'p'.repeat(90)}/${'q'.repeat(120)}`;
    const tar = await write([
      { header: tarHeader({ name: 'p'.repeat(90), type: 'folder' }) },
      { header: tarHeader({ name: long, size: 5, mode: 0o4711 }), content: Buffer.from('hello') },
      { header: tarHeader({ name: 'link', type: 'symlink', linkName: long }) },
    ]);
    writeFileSync(join(root, 'x.tar'), tar);
    execFileSync('tar', ['-C', root, '-xpf', join(root, 'x.tar')], { stdio: 'pipe' });
    assert.equal(readFileSync(join(root, 'link'), 'utf8'), 'hello');
  } finally {
    rmSync(root, { recursive: true });
  }
});
