import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { getXattr, mountOverlay } from '#linux';
import { createArchiver, type AppliedLayer, type ApplyLayerOptions } from './index.ts';
import { rawEntry } from './testing/raw-tar.ts';
import { describeTree, pathsIn, tarOf, temporaryFolder, type ShortEntry } from './testing/tree.ts';

const archiver = createArchiver();
after(() => archiver[Symbol.asyncDispose]());
const { signal } = new AbortController();
const sha256 = (data: Uint8Array): string => `sha256:${createHash('sha256').update(data).digest('hex')}`;

async function* chunksOf(data: Buffer, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) {
    await new Promise(setImmediate);
    yield data.subarray(at, at + size);
  }
}

const apply = async (
  tar: Buffer,
  upper: string,
  options: Partial<ApplyLayerOptions> = {},
): Promise<AppliedLayer> =>
  archiver.applyLayer(
    { stream: chunksOf(tar, 100_000) },
    { mounts: { lower: [], upper }, signal, ...options },
  );

test('applyLayer() restores every kind of file with all its attributes', async () => {
  using folder = temporaryFolder();
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  const time = 1_700_000_000_123_456_789n;
  const base = { uid: 12, gid: 34, mtime: time };
  const tar = await tarOf(
    { ...base, name: './', type: 'folder', mode: 0o751 },
    { ...base, name: 'bin', type: 'folder', mode: 0o2775 },
    {
      ...base,
      name: 'bin/su',
      mode: 0o4755,
      text: 'program',
      xattrs: new Map([['security.capability', capability]]),
    },
    { ...base, name: 'bin/hard', type: 'hardlink', linkName: 'bin/su' },
    { ...base, name: 'bin/soft', type: 'symlink', linkName: '/nowhere' },
    { ...base, name: 'null', type: 'character', mode: 0o666, deviceMajor: 1, deviceMinor: 3 },
    { ...base, name: 'disk', type: 'block', mode: 0o660, deviceMajor: 8, deviceMinor: 300 },
    { ...base, name: 'pipe', type: 'fifo', mode: 0o622 },
    {
      ...base,
      name: 'sticky',
      type: 'folder',
      mode: 0o1777,
      xattrs: new Map([['user.x', Buffer.from([0, 255])]]),
    },
    { ...base, name: 'open', mode: 0o666, uid: 0, gid: 0 },
    { ...base, name: 'implied/by/file', text: 'deep', uid: 0, gid: 0 },
  );
  const result = await apply(tar, folder.path);
  assert.deepEqual(result, { diffId: sha256(tar), size: 11, entries: 11 });
  const tree = describeTree(folder.path);
  const implied = ['/implied', '/implied/by'];
  assert.deepEqual(Object.fromEntries(Object.entries(tree).filter(([path]) => !implied.includes(path))), {
    // The root stays as it is: what a layer says of it would shut out users other than root.
    '/': tree['/'],
    '/bin': `d 2775 12 34 ${time} 0`,
    '/bin/hard': `- 4755 12 34 ${time} program security.capability=${capability.toString('hex')}`,
    '/bin/soft': `l 777 12 34 ${time} /nowhere`,
    '/bin/su': `- 4755 12 34 ${time} program security.capability=${capability.toString('hex')}`,
    '/disk': `b 660 12 34 ${time} ${0x80000 + (1 << 20) - 0x80000 + 0x800 + 44}`,
    '/implied/by/file': `- 644 0 0 ${time} deep`,
    '/null': `c 666 12 34 ${time} 259`,
    '/open': `- 666 0 0 ${time} `,
    '/pipe': `p 622 12 34 ${time} 0`,
    '/sticky': `d 1777 12 34 ${time} 0 user.x=00ff`,
  });
  for (const path of implied) assert.match(tree[path] ?? '', /^d 755 0 0 /);
  assert.match(tree['/'] ?? '', /^d 700 0 0 /);
  assert.equal(lstatSync(join(folder.path, 'bin/su')).ino, lstatSync(join(folder.path, 'bin/hard')).ino);
});

test('applyLayer() lets later entries replace earlier ones of any kind', async () => {
  using folder = temporaryFolder();
  const tar = await tarOf(
    { name: 'a', text: 'old' },
    { name: 'a', text: 'new' },
    { name: 'folder/in/it', text: 'x' },
    { name: 'folder', text: 'now a file' },
    { name: 'file', text: 'x' },
    { name: 'file/', type: 'folder' },
    { name: 'file/below', text: 'y' },
    { name: 'link', type: 'symlink', linkName: 'folder' },
    { name: 'link', type: 'folder' },
    { name: 'link/inside', text: 'z' },
    { name: 'hard', text: 'gone' },
    { name: 'hard', type: 'hardlink', linkName: 'a' },
    { name: 'hard', type: 'hardlink', linkName: 'hard' },
    { name: 'again', type: 'folder', mode: 0o700 },
    { name: 'again/x', text: '' },
    { name: 'again', type: 'folder', mode: 0o711 },
  );
  await apply(tar, folder.path);
  const read = (name: string): string => readFileSync(join(folder.path, name), 'utf8');
  assert.equal(read('a'), 'new');
  assert.equal(read('folder'), 'now a file');
  assert.equal(read('file/below'), 'y');
  assert.equal(read('link/inside'), 'z');
  assert.equal(read('hard'), 'new');
  assert.equal(statSync(join(folder.path, 'again')).mode & 0o777, 0o711);
  assert.ok(existsSync(join(folder.path, 'again/x')));
});

test('applyLayer() turns whiteouts into marks that an overlay obeys, in any order', async () => {
  using folder = temporaryFolder();
  const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => {
    mkdirSync(join(folder.path, name));
    return join(folder.path, name);
  }) as [string, string, string, string];
  for (const name of ['gone', 'opaque', 'both', 'late', 'early', 'kept']) {
    mkdirSync(join(lower, name));
    writeFileSync(join(lower, name, 'old'), '');
  }
  writeFileSync(join(lower, 'file'), 'old');
  chmodSync(join(lower, 'kept'), 0o711);
  const tar = await tarOf(
    { name: '.wh.gone' },
    { name: 'opaque/.wh..wh..opq' },
    { name: 'opaque/new', text: '' },
    { name: '.wh.early' },
    { name: 'early', type: 'folder' },
    { name: 'early/new', text: '' },
    { name: 'late/new', text: '' },
    { name: '.wh.late' },
    { name: '.wh.both' },
    { name: 'both/new', text: '' },
    { name: 'kept/new', text: '' },
    { name: 'kept/.wh.old' },
    { name: '.wh.file' },
    { name: 'file', text: 'new' },
    { name: '.wh..wh.plnk', type: 'folder' },
    { name: '.wh..wh.plnk/1.2', text: 'ignored' },
    { name: '.wh.nothing' },
  );
  await apply(tar, upper, { mounts: { lower: [lower], upper } });
  mountOverlay({ lower: [lower], upper, work, target: merged });
  assert.deepEqual(pathsIn(merged), [
    '/both',
    '/both/new',
    '/early',
    '/early/new',
    '/file',
    '/kept',
    '/kept/new',
    '/late',
    '/late/new',
    '/opaque',
    '/opaque/new',
  ]);
  assert.equal(readFileSync(join(merged, 'file'), 'utf8'), 'new');
  // A folder the layer does not mention keeps the attributes it has below.
  assert.equal(statSync(join(merged, 'kept')).mode & 0o777, 0o711);
});

test('applyLayer() deletes at once where the snapshot is a full copy, sparing what the layer brings', async () => {
  using folder = temporaryFolder();
  const upper = join(folder.path, 'upper');
  for (const name of ['gone/x', 'opaque/old', 'opaque/sub/old', 'both/old', 'kept/old']) {
    mkdirSync(join(upper, name, '..'), { recursive: true });
    writeFileSync(join(upper, name), '');
  }
  const tar = await tarOf(
    { name: '.wh.gone' },
    { name: 'opaque/sub/new', text: '' },
    { name: 'opaque/.wh..wh..opq' },
    { name: 'both/new', text: '' },
    { name: '.wh.both' },
    { name: '.wh.nothing' },
    { name: 'nowhere/.wh.nothing' },
  );
  await apply(tar, upper, { mounts: { lower: [], upper, base: upper } });
  assert.deepEqual(pathsIn(upper), [
    '/both',
    '/both/new',
    '/kept',
    '/kept/old',
    '/opaque',
    '/opaque/sub',
    '/opaque/sub/new',
  ]);
});

test('applyLayer() drops attributes that would speak to the overlay', async () => {
  using folder = temporaryFolder();
  const xattrs = new Map([
    ['trusted.overlay.redirect', Buffer.from('/etc')],
    ['trusted.overlay.opaque', Buffer.from('y')],
    ['user.kept', Buffer.from('1')],
  ]);
  await apply(await tarOf({ name: 'folder', type: 'folder', xattrs }), folder.path);
  assert.equal(getXattr(join(folder.path, 'folder'), 'trusted.overlay.redirect'), undefined);
  assert.equal(getXattr(join(folder.path, 'folder'), 'trusted.overlay.opaque'), undefined);
  assert.equal(getXattr(join(folder.path, 'folder'), 'user.kept')?.toString(), '1');
});

const outside = '/tmp/wharf-archive-outside';
const malicious: readonly (readonly [title: string, entries: ShortEntry[], error: RegExp | undefined])[] = [
  ['a name that climbs out', [{ name: '../escaped', text: 'x' }], /"\.\.\/escaped" is outside/],
  [
    'a name that climbs out in the middle',
    [{ name: 'a/../../escaped' }],
    /"a\/\.\.\/\.\.\/escaped" is outside/,
  ],
  ['a folder that climbs out', [{ name: '../escaped/', type: 'folder' }], /is outside/],
  ['a whiteout that climbs out', [{ name: '../.wh.victim' }], /is outside/],
  ['an opaque mark that climbs out', [{ name: '../.wh..wh..opq' }], /is outside/],
  [
    'a hard link out of the root',
    [{ name: 'x', type: 'hardlink', linkName: '../../../../etc/passwd' }],
    /"x" is outside/,
  ],
  [
    'a hard link to an absolute path',
    [{ name: 'x', type: 'hardlink', linkName: '/etc/passwd' }],
    /the hard link "x" has no target "\/etc\/passwd"/,
  ],
  [
    'a hard link through a symbolic link',
    [
      { name: 'etc', type: 'symlink', linkName: '/etc' },
      { name: 'x', type: 'hardlink', linkName: 'etc/passwd' },
    ],
    /the hard link "x" has no target/,
  ],
  [
    'writing through an absolute link',
    [
      { name: 'link', type: 'symlink', linkName: outside },
      { name: 'link/file', text: 'evil' },
    ],
    undefined,
  ],
  [
    'writing through a climbing link',
    [
      { name: 'link', type: 'symlink', linkName: '../../../../../../../tmp/wharf-archive-outside' },
      { name: 'link/file', text: 'evil' },
    ],
    undefined,
  ],
  [
    'overwriting the target of a link',
    [
      { name: 'link', type: 'symlink', linkName: `${outside}/file` },
      { name: 'link', text: 'evil' },
    ],
    undefined,
  ],
  [
    'attributes through a link',
    [
      { name: 'link', type: 'symlink', linkName: outside, mode: 0o777, uid: 99 },
      { name: 'a', type: 'folder', mtime: 5n },
      { name: 'a/b', type: 'folder', mtime: 5n },
      { name: 'a', type: 'symlink', linkName: outside },
    ],
    undefined,
  ],
  [
    'a whiteout through a link',
    [
      { name: 'link', type: 'symlink', linkName: outside },
      { name: 'link/.wh.victim' },
      { name: 'link/.wh..wh..opq' },
    ],
    undefined,
  ],
  [
    'a chain of links',
    [
      { name: 'one', type: 'symlink', linkName: 'two' },
      { name: 'two', type: 'symlink', linkName: 'one' },
      { name: 'one/x', text: '' },
    ],
    /openat2|too many links/,
  ],
  ['a file in place of the root', [{ name: './', type: 'symlink', linkName: outside }], /would replace/],
  [
    'a file below a file',
    [
      { name: 'f', text: 'x' },
      { name: 'f/g', text: 'x' },
    ],
    /"f" is not a folder/,
  ],
];

for (const [title, entries, error] of malicious) {
  test(`applyLayer() keeps to its root: ${title}`, async () => {
    using folder = temporaryFolder();
    mkdirSync(outside, { recursive: true });
    writeFileSync(join(outside, 'victim'), 'safe');
    writeFileSync(join(outside, 'file'), 'safe');
    const before = describeTree(outside);
    const root = join(folder.path, 'root');
    mkdirSync(root);
    const running = apply(await tarOf(...entries), root);
    if (error) {
      await assert.rejects(running, (thrown: Error) => {
        assert.match(thrown.message, error);
        return true;
      });
    } else await running;
    assert.deepEqual(describeTree(outside), before);
    assert.deepEqual(readdirSync(folder.path), ['root']);
    execFileSync('rm', ['-r', outside]);
  });
}

test('applyLayer() writes through links of the same layer inside the root', async () => {
  using folder = temporaryFolder();
  const tar = await tarOf(
    { name: 'usr/lib', type: 'folder' },
    { name: 'lib', type: 'symlink', linkName: 'usr/lib' },
    { name: 'lib/a', text: 'a' },
    { name: 'lib64', type: 'symlink', linkName: '/usr/lib64' },
    { name: 'lib64/b', text: 'b' },
  );
  await apply(tar, folder.path);
  assert.equal(readFileSync(join(folder.path, 'usr/lib/a'), 'utf8'), 'a');
  assert.equal(readFileSync(join(folder.path, 'usr/lib64/b'), 'utf8'), 'b');
});

const damaged: readonly (readonly [title: string, damage: (tar: Buffer) => Buffer, error: RegExp])[] = [
  ['cut in a file', (tar) => tar.subarray(0, 2000), /unexpected EOF/],
  ['cut in a header', (tar) => tar.subarray(0, 300), /unexpected EOF/],
  [
    'a checksum that lies',
    (tar) => Buffer.concat([Buffer.from('z'), tar.subarray(1)]),
    /checksum does not match/,
  ],
  ['not a tar', () => Buffer.from('hello '.repeat(1000)), /invalid tar header/],
  ['cut gzip', (tar) => gzipSync(tar).subarray(0, -20), /damaged or truncated|unexpected EOF/],
  ['a gzip checksum that lies', (tar) => flip(gzipSync(tar), -6), /damaged or truncated|unexpected EOF/],
  ['cut zstd', (tar) => zstdCompressSync(tar).subarray(0, -5), /damaged or truncated|unexpected EOF/],
  ['cut xz', (tar) => execFileSync('xz', ['-c'], { input: tar }).subarray(0, -20), /damaged|unexpected EOF/],
];
const flip = (data: Buffer, at: number): Buffer => {
  data.writeUInt8((data.at(at) ?? 0) ^ 1, data.length + at);
  return data;
};

for (const [title, damage, error] of damaged) {
  test(`applyLayer() refuses ${title}`, async () => {
    using folder = temporaryFolder();
    const tar = await tarOf({ name: 'file', text: Buffer.alloc(5000, 'lorem').toString() });
    const file = join(folder.path, 'layer');
    const root = join(folder.path, 'root');
    mkdirSync(root);
    writeFileSync(file, damage(tar));
    const options = { mounts: { lower: [], upper: root }, signal };
    for (const source of [{ path: file }, { stream: chunksOf(readFileSync(file)) }]) {
      await assert.rejects(archiver.applyLayer(source, options), (thrown: Error & { kind?: string }) => {
        assert.equal(thrown.kind, 'invalidArgument');
        assert.match(thrown.message, error);
        return true;
      });
    }
  });
}

test('applyLayer() reads every compression and knows both digests', async () => {
  const tar = await tarOf({ name: 'file', text: 'x'.repeat(300_000) });
  const forms = {
    none: tar,
    gzip: gzipSync(tar),
    'gzip in two members': Buffer.concat([gzipSync(tar.subarray(0, 5000)), gzipSync(tar.subarray(5000))]),
    zstd: zstdCompressSync(tar),
    bzip2: execFileSync('bzip2', ['-c'], { input: tar }),
    xz: execFileSync('xz', ['-c'], { input: tar }),
  };
  for (const [form, data] of Object.entries(forms)) {
    using folder = temporaryFolder();
    const file = join(folder.path, 'layer');
    writeFileSync(file, data);
    for (const source of [{ path: file }, { stream: chunksOf(data) }]) {
      const upper = join(folder.path, 'path' in source ? 'one' : 'two');
      mkdirSync(upper);
      const result = await archiver.applyLayer(source, {
        mounts: { lower: [], upper },
        signal,
        wantDigest: true,
      });
      const [diffId, digest] = [sha256(tar), sha256(data)];
      const expected = { diffId, digest, compressedSize: data.length, size: 300_000, entries: 1 };
      assert.deepEqual(result, expected, form);
      assert.equal(statSync(join(upper, 'file')).size, 300_000);
    }
  }
});

test('applyLayer() and diffLayer() do without programs, and name the one they need', async () => {
  await using bare = createArchiver({ programFolders: [] });
  using folder = temporaryFolder();
  const [one, two] = [join(folder.path, 'one'), join(folder.path, 'two')];
  mkdirSync(one);
  mkdirSync(two);
  const tar = await tarOf({ name: 'file', text: 'x'.repeat(300_000) });
  const options = { mounts: { lower: [], upper: one }, signal };
  const first = await bare.applyLayer({ stream: chunksOf(gzipSync(tar)) }, options);
  assert.equal(first.diffId, sha256(tar));
  const { stream } = bare.diffLayer({ mounts: options.mounts, signal, compression: 'gzip' });
  const second = await bare.applyLayer({ stream }, { mounts: { lower: [], upper: two }, signal });
  assert.equal(second.size, 300_000);
  const cut = gzipSync(tar).subarray(0, -100);
  await assert.rejects(bare.applyLayer({ stream: chunksOf(cut) }, options), { kind: 'invalidArgument' });
  const xz = execFileSync('xz', ['-c'], { input: tar });
  await assert.rejects(bare.applyLayer({ stream: chunksOf(xz) }, options), {
    kind: 'unavailable',
    message: /"xz" is not installed/,
  });
});

test('applyLayer() keeps holes and contents of sparse files', async () => {
  using folder = temporaryFolder();
  const source = join(folder.path, 'sparse');
  execFileSync('sh', [
    '-c',
    `truncate -s 20M ${source} && echo middle | dd of=${source} bs=1M seek=9 conv=notrunc status=none`,
  ]);
  execFileSync('tar', ['-S', '-C', folder.path, '-cf', join(folder.path, 'layer'), 'sparse']);
  const upper = join(folder.path, 'root');
  mkdirSync(upper);
  const options = { mounts: { lower: [], upper }, signal };
  const { size } = await archiver.applyLayer({ path: join(folder.path, 'layer') }, options);
  assert.equal(size, 20 << 20);
  assert.ok(readFileSync(join(upper, 'sparse')).equals(readFileSync(source)));
  assert.ok(statSync(join(upper, 'sparse')).blocks * 512 < 1 << 20);
});

test('applyLayer() enforces its limits while a source stalls', async () => {
  using folder = temporaryFolder();
  const tar = gzipSync(await tarOf({ name: 'a', text: 'x' }, { name: 'b', text: 'y'.repeat(10_000) }));
  const stalled = Promise.withResolvers<undefined>();
  async function* stalling(): AsyncGenerator<Uint8Array> {
    yield tar;
    await stalled.promise;
  }
  const mounts = { lower: [], upper: folder.path };
  // zlib's own thread holds the end back until its input ends, which igzip does not: bytes at hand must do.
  await assert.rejects(
    apply(tar, folder.path, { limits: { entries: 1 } }),
    /more than the allowed 1 entries/,
  );
  await assert.rejects(
    apply(tar, folder.path, { limits: { size: 5000 } }),
    /more than the allowed 5000 bytes/,
  );
  const plain = await tarOf({ name: 'a', text: 'x' }, { name: 'b', text: 'y'.repeat(10_000) });
  async function* stallingPlain(): AsyncGenerator<Uint8Array> {
    yield plain;
    await stalled.promise;
  }
  const limits = { size: 5000 };
  await assert.rejects(
    archiver.applyLayer({ stream: stallingPlain() }, { mounts, signal, limits }),
    /5000 bytes/,
  );
  const abort = new AbortController();
  const aborted = archiver.applyLayer({ stream: stalling() }, { mounts, signal: abort.signal });
  setTimeout(() => abort.abort(new Error('gone')), 50);
  await assert.rejects(aborted, /gone/);
  stalled.resolve(undefined);
});

test('applyLayer() refuses more bytes than allowed before any of them is written, holes too', async () => {
  using folder = temporaryFolder();
  const bomb = await tarOf({ name: 'small', text: 'x' });
  const sparse = rawEntry(
    { name: Buffer.from('hole'), flag: 'S', sparse: { version: 'old', runs: [[2 ** 40, 0]], size: 2 ** 40 } },
    'gnu',
  );
  const archive = Buffer.concat([sparse, bomb]);
  await assert.rejects(apply(archive, folder.path, { limits: { size: 1e9 } }), {
    kind: 'invalidArgument',
    message: 'the archive unpacks to more than the allowed 1000000000 bytes',
  });
  assert.deepEqual(pathsIn(folder.path), []);
});

test('applyLayer() reports the error of its source', async () => {
  using folder = temporaryFolder();
  const tar = await tarOf({ name: 'a', text: 'x'.repeat(100_000) });
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield tar.subarray(0, 50_000);
    await new Promise(setImmediate);
    throw new Error('the registry hung up');
  }
  const mounts = { lower: [], upper: folder.path };
  await assert.rejects(archiver.applyLayer({ stream: failing() }, { mounts, signal }), /hung up/);
  await assert.rejects(archiver.applyLayer({ path: join(folder.path, 'nope') }, { mounts, signal }), {
    code: 'ENOENT',
  });
});

test('applyLayer() says which entry the disk had no room for', async () => {
  using folder = temporaryFolder();
  const { mountTmpfs } = await import('#linux');
  const root = join(folder.path, 'small');
  mkdirSync(root);
  mountTmpfs(root, { data: 'size=64k' });
  await assert.rejects(
    apply(await tarOf({ name: 'big', text: 'x'.repeat(200_000) }), root),
    (error: Error) => {
      assert.match(error.message, /"big".*no space left/i);
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
      return true;
    },
  );
});

test('applyLayer() takes 100,000 entries', async () => {
  using folder = temporaryFolder();
  const entries = Array.from({ length: 100_000 }, (_, index) => ({ name: `d${index % 500}/f${index}` }));
  const tar = await tarOf(...entries);
  const { mountTmpfs } = await import('#linux');
  mountTmpfs(folder.path);
  const result = await apply(tar, folder.path);
  assert.equal(result.entries, 100_000);
  assert.equal(readdirSync(join(folder.path, 'd7')).length, 200);
});

test('applyLayer() leaves no descriptor or child behind, whatever happened', async () => {
  using folder = temporaryFolder();
  const good = gzipSync(await tarOf({ name: 'a', text: 'x'.repeat(100_000) }));
  const bad = good.subarray(0, good.length - 10);
  const lie = gzipSync(flip(await tarOf({ name: 'a' }), -1100));
  const count = (): number => readdirSync('/proc/self/fd').length;
  const run = async (): Promise<void> => {
    for (const data of [good, bad, lie]) await apply(data, folder.path).catch(() => undefined);
    const abort = new AbortController();
    const running = apply(good, folder.path, { signal: abort.signal });
    abort.abort();
    await running.catch(() => undefined);
  };
  await run();
  const before = count();
  for (let round = 0; round < 5; round += 1) await run();
  const deadline = Date.now() + 5000;
  while (count() > before && Date.now() < deadline) await new Promise(setImmediate);
  assert.ok(count() <= before, `${count()} descriptors, ${before} before`);
  const children = execFileSync('ps', ['--ppid', String(process.pid), '-o', 'comm='])
    .toString()
    .trim();
  assert.equal(children, 'ps');
});

test('symbolic links in the layer below do not matter to what is unpacked', async () => {
  using folder = temporaryFolder();
  const lower = join(folder.path, 'lower');
  const upper = join(folder.path, 'upper');
  mkdirSync(lower);
  mkdirSync(upper);
  symlinkSync('/etc', join(lower, 'x'));
  await apply(await tarOf({ name: 'x/y', text: 'z' }), upper, { mounts: { lower: [lower], upper } });
  assert.ok(lstatSync(join(upper, 'x')).isDirectory());
});
