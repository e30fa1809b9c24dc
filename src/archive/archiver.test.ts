import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { atCwd, chownAt, makeDevice, makeNodeAt, mountOverlay, setXattr, unmount } from '#linux';
import { createArchiver, readTar, type ArchiveStream, type LayerFolders, type TarHeader } from './index.ts';
import { describeTree, pathsIn, tarOf, temporaryFolder } from './testing/tree.ts';

const archiver = createArchiver();
after(() => archiver[Symbol.asyncDispose]());
const { signal } = new AbortController();
const folderType = 0o010000; // S_IFIFO

const bytesOf = async (stream: Readable): Promise<Buffer> =>
  Buffer.concat((await Array.fromAsync(stream)) as Buffer[]);

async function headersOf(stream: Readable): Promise<TarHeader[]> {
  const headers: TarHeader[] = [];
  for await (const { header } of readTar(stream)) headers.push(header);
  return headers;
}

async function* once(data: Buffer): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield data;
}

/** Every kind of file, with attributes. */
function fill(root: string): void {
  mkdirSync(join(root, 'folder/empty'), { recursive: true });
  writeFileSync(join(root, 'folder/file'), 'content');
  chmodSync(join(root, 'folder/file'), 0o4750);
  setXattr(join(root, 'folder/file'), 'user.x', Buffer.from([1, 0, 255]));
  setXattr(join(root, 'folder/file'), 'trusted.overlay.origin', Buffer.from('x'));
  linkSync(join(root, 'folder/file'), join(root, 'another'));
  symlinkSync('/somewhere', join(root, 'link'));
  chownAt(atCwd, join(root, 'link'), 5, 6);
  makeNodeAt(atCwd, join(root, 'null'), 0o020000 | 0o644, makeDevice(1, 3));
  makeNodeAt(atCwd, join(root, 'pipe'), folderType | 0o600);
  mkdirSync(join(root, 'é'.repeat(120)));
  for (const name of ['folder/empty', 'folder/file', 'null', 'pipe', 'é'.repeat(120)]) {
    utimesSync(join(root, name), 1e9, 1e9);
  }
  lutimesSync(join(root, 'link'), 1e9, 1e9);
  utimesSync(join(root, 'folder'), 1e9, 1e9);
  utimesSync(root, 1e9, 1e9);
}

const withoutOverlay = (tree: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(tree).map(([path, line]) => [path, line.replace(/ trusted\.overlay\S*/, '')]),
  );

test('diffLayer() and applyLayer() give back the same tree, sockets left out', async () => {
  using folder = temporaryFolder();
  const [source, target] = [join(folder.path, 'source'), join(folder.path, 'target')];
  mkdirSync(source);
  mkdirSync(target);
  fill(source);
  const expected = withoutOverlay(describeTree(source));
  const server = createServer().listen(join(source, 'socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  const { stream, done } = archiver.diffLayer({ mounts: { lower: [], upper: source }, signal });
  const tar = await bytesOf(stream);
  await new Promise((resolve) => server.close(resolve));
  const applied = await archiver.applyLayer(
    { stream: once(tar) },
    { mounts: { lower: [], upper: target }, signal },
  );
  const packed = await done;
  assert.deepEqual(
    [applied.diffId, applied.size, applied.entries],
    [packed.diffId, packed.size, packed.entries],
  );
  utimesSync(target, 1e9, 1e9);
  assert.deepEqual(describeTree(target), expected);
});

test('diffLayer() writes the same bytes for the same tree, and gzip if asked', async () => {
  using folder = temporaryFolder();
  const [one, two] = [join(folder.path, 'one'), join(folder.path, 'two')];
  mkdirSync(one);
  mkdirSync(two);
  fill(one);
  fill(two);
  writeFileSync(join(one, 'big'), Buffer.alloc(3_000_000, 'some text '));
  writeFileSync(join(two, 'big'), Buffer.alloc(3_000_000, 'some text '));
  for (const path of [one, two]) utimesSync(join(path, 'big'), 1e9, 1e9);
  const run = (upper: string, compression: 'none' | 'gzip'): ArchiveStream =>
    archiver.diffLayer({ mounts: { lower: [], upper }, signal, compression });
  const first = run(one, 'none');
  const tar = await bytesOf(first.stream);
  const second = run(two, 'none');
  assert.ok(tar.equals(await bytesOf(second.stream)));
  assert.equal((await first.done).diffId, (await second.done).diffId);
  const zipped = run(one, 'gzip');
  const again = run(one, 'gzip');
  const gzip = await bytesOf(zipped.stream);
  assert.ok(gunzipSync(gzip).equals(tar));
  assert.equal((await zipped.done).diffId, (await first.done).diffId);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.ok(gzip.equals(await bytesOf(again.stream)), 'the time of compression does not matter');
});

test('an archive that is not read to its end does not stay behind', async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'big'), randomBytes(20_000_000));
  const descriptors = readdirSync('/proc/self/fd').length;
  for (const compression of ['none', 'gzip'] as const) {
    const mounts = { lower: [], upper: folder.path };
    const { stream, done } = archiver.diffLayer({ mounts, signal, compression });
    for await (const chunk of stream) {
      assert.ok(chunk);
      break;
    }
    await assert.rejects(done);
  }
  const abort = new AbortController();
  const { stream, done } = archiver.pack({ root: folder.path, signal: abort.signal });
  abort.abort(new Error('enough'));
  await assert.rejects(bytesOf(stream), /enough/);
  await assert.rejects(done, /enough/);
  for (const compression of ['none', 'gzip'] as const) {
    // A reader that stalls does not hold up an abort.
    const stalled = new AbortController();
    const mounts = { lower: [], upper: folder.path };
    const archive = archiver.diffLayer({ mounts, signal: stalled.signal, compression });
    const reader = archive.stream[Symbol.asyncIterator]();
    await reader.next();
    stalled.abort(new Error('no more'));
    await assert.rejects(archive.done, /no more/);
    await assert.rejects(async () => {
      while (!(await reader.next()).done);
    }, /no more/);
  }
  const untouched = archiver.pack({ root: folder.path, signal });
  untouched.stream.destroy();
  await assert.rejects(untouched.done);
  const deadline = Date.now() + 5000;
  const count = (): number => readdirSync('/proc/self/fd').length;
  while (count() > descriptors && Date.now() < deadline) await new Promise(setImmediate);
  assert.ok(count() <= descriptors, `${count()} descriptors, ${descriptors} before`);
});

/** A lower tree, changed through an overlay mount as a container does it. */
function changed(path: string, change: (merged: string) => void): LayerFolders {
  const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => {
    mkdirSync(join(path, name));
    return join(path, name);
  }) as [string, string, string, string];
  for (const name of ['a/b/c', 'opq/sub', 'touched', 'meta', 'gone', 'same/deep']) {
    mkdirSync(join(lower, name), { recursive: true });
  }
  for (const name of [
    'a/b/c/f',
    'a/b/keep',
    'opq/x',
    'opq/sub/y',
    'meta/in',
    'gone/file',
    'single',
    'kind',
  ]) {
    writeFileSync(join(lower, name), 'old');
  }
  mountOverlay({ lower: [lower], upper, work, target: merged });
  change(merged);
  unmount(merged);
  return { lower: [lower], upper };
}

/** What the reference engine was asked about. */
function mutate(root: string): void {
  writeFileSync(join(root, 'a/b/c/f'), 'hi');
  mkdirSync(join(root, 'new'));
  writeFileSync(join(root, 'new/n'), '');
  rmSync(join(root, 'opq'), { recursive: true });
  mkdirSync(join(root, 'opq'));
  writeFileSync(join(root, 'opq/z'), '');
  utimesSync(join(root, 'touched'), 1, 1);
  chmodSync(join(root, 'meta'), 0o700);
  rmSync(join(root, 'gone'), { recursive: true });
  rmSync(join(root, 'single'));
  mkdirSync(join(root, 'a/b/tmp'));
  rmdirSync(join(root, 'a/b/tmp'));
  renameSync(join(root, 'a/b/keep'), join(root, 'a/b/moved'));
  symlinkSync('/x', join(root, 'sym'));
  rmSync(join(root, 'kind'));
  mkdirSync(join(root, 'kind'));
}

const expectedChanges = [
  'modified /a',
  'modified /a/b',
  'modified /a/b/c',
  'modified /a/b/c/f',
  'deleted /a/b/keep',
  'added /a/b/moved',
  'deleted /gone',
  'modified /kind',
  'modified /meta',
  'added /new',
  'added /new/n',
  'modified /opq',
  'deleted /opq/sub',
  'deleted /opq/x',
  'added /opq/z',
  'deleted /single',
  'added /sym',
];

test('changes() lists what the reference engine lists', async () => {
  using folder = temporaryFolder();
  const mounts = changed(folder.path, mutate);
  const changes = await archiver.changes({ mounts, signal });
  assert.deepEqual(
    changes.map(({ kind, path }) => `${kind} ${path}`),
    expectedChanges,
  );
});

test('changes() compares a full copy with its origin', async () => {
  using folder = temporaryFolder();
  const { lower } = changed(folder.path, () => undefined);
  const [base = ''] = lower;
  const upper = join(folder.path, 'copy');
  mkdirSync(upper);
  await archiver.copyTree({ root: base, target: upper, signal });
  const mounts = { lower: [], upper, base };
  assert.deepEqual(await archiver.changes({ mounts, signal }), []);
  mutate(upper);
  assert.deepEqual(
    (await archiver.changes({ mounts, signal })).map(({ kind, path }) => `${kind} ${path}`),
    expectedChanges,
  );
});

test('diffLayer() names deletions as OCI layers do, for overlays and copies', async () => {
  using folder = temporaryFolder();
  const mounts = changed(folder.path, mutate);
  const overlay = await headersOf(archiver.diffLayer({ mounts, signal }).stream);
  assert.deepEqual(
    overlay.map(({ name }) => name),
    [
      '.wh.gone',
      '.wh.single',
      'a/',
      'a/b/',
      'a/b/.wh.keep',
      'a/b/c/',
      'a/b/c/f',
      'a/b/moved',
      'kind/',
      'kind/.wh..wh..opq',
      'meta/',
      'new/',
      'new/n',
      'opq/',
      'opq/.wh..wh..opq',
      'opq/z',
      'sym',
      'touched/',
    ],
  );
  const [base = ''] = mounts.lower;
  const upper = join(folder.path, 'copy');
  mkdirSync(upper);
  await archiver.copyTree({ root: base, target: upper, signal });
  mutate(upper);
  const tar = await bytesOf(archiver.diffLayer({ mounts: { lower: [], upper, base }, signal }).stream);
  const target = join(folder.path, 'target');
  mkdirSync(target);
  await archiver.copyTree({ root: base, target, signal });
  await archiver.applyLayer({ stream: once(tar) }, { mounts: { lower: [], upper: target, base }, signal });
  assert.deepEqual(pathsIn(target), pathsIn(upper));
});

test('pack() names the topmost entry as asked and resolves links inside the root', async () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, 'etc/conf.d'), { recursive: true });
  writeFileSync(join(folder.path, 'etc/hosts'), 'localhost');
  writeFileSync(join(folder.path, 'etc/conf.d/x'), '');
  symlinkSync('/etc', join(folder.path, 'config'));
  const names = async (path: string, name?: string): Promise<string[]> => {
    const { stream } = archiver.pack({
      root: folder.path,
      path,
      signal,
      ...(name === undefined ? {} : { name }),
    });
    return (await headersOf(stream)).map((header) => header.name);
  };
  assert.deepEqual(await names('/etc/hosts'), ['hosts']);
  assert.deepEqual(await names('/config/hosts', 'other'), ['other']);
  assert.deepEqual(await names('config'), ['config']);
  assert.deepEqual(await names('/etc'), ['etc/', 'etc/conf.d/', 'etc/conf.d/x', 'etc/hosts']);
  assert.deepEqual(await names('/config/conf.d', 'y'), ['y/', 'y/x']);
  assert.deepEqual(await names('/etc', '.'), ['./', './conf.d/', './conf.d/x', './hosts']);
  assert.deepEqual(await names('/etc', ''), ['conf.d/', 'conf.d/x', 'hosts']);
  assert.deepEqual(await names('/config/', 'c'), ['c/', 'c/conf.d/', 'c/conf.d/x', 'c/hosts']);
  assert.deepEqual((await names('/')).slice(0, 2), ['./', './config']);
  assert.deepEqual(await names('../../../etc/hosts'), ['hosts']);
  await assert.rejects(names('/nope'), { kind: 'notFound' });
  await assert.rejects(names('/nope/deeper'), { kind: 'notFound' });
});

test('unpack() puts an archive under a folder, with the owner it is told, and minds keepKinds', async () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, 'srv/data'), { recursive: true });
  symlinkSync('/srv', join(folder.path, 'link'));
  writeFileSync(join(folder.path, 'srv/file'), '');
  const tar = await tarOf(
    { name: './', type: 'folder', mode: 0o700 },
    { name: 'x/.wh.y', text: 'kept', uid: 7 },
  );
  const mode = statSync(join(folder.path, 'srv')).mode;
  const owner = { uid: 11, gid: 12 };
  const result = await archiver.unpack(
    { stream: once(tar) },
    { root: folder.path, path: '/link', owner, signal },
  );
  assert.deepEqual(result, { size: 4, entries: 2 });
  assert.equal(readFileSync(join(folder.path, 'srv/x/.wh.y'), 'utf8'), 'kept');
  assert.equal(lstatSync(join(folder.path, 'srv/x/.wh.y')).uid, 11);
  assert.equal(statSync(join(folder.path, 'srv')).mode, mode);
  const options = { root: folder.path, path: '/srv', keepKinds: true, signal };
  const overFolder = await tarOf({ name: 'data', text: 'x' });
  await assert.rejects(archiver.unpack({ stream: once(overFolder) }, options), {
    kind: 'invalidArgument',
    message: /cannot overwrite directory .* with non-directory/,
  });
  const overFile = await tarOf({ name: 'file', type: 'folder' });
  await assert.rejects(archiver.unpack({ stream: once(overFile) }, options), {
    kind: 'invalidArgument',
    message: /cannot overwrite non-directory .* with directory/,
  });
  const escaping = await tarOf({ name: '../../out', text: 'x' });
  await assert.rejects(archiver.unpack({ stream: once(escaping) }, options), /outside/);
  const missing = { root: folder.path, path: '/nope', signal };
  await assert.rejects(archiver.unpack({ stream: once(overFile) }, missing), { code: 'ENOENT' });
});

test('copyTree() copies a folder under a root with everything in it', async () => {
  using folder = temporaryFolder();
  const [root, target] = [join(folder.path, 'root'), join(folder.path, 'target')];
  mkdirSync(join(root, 'data'), { recursive: true });
  mkdirSync(target);
  fill(join(root, 'data'));
  chmodSync(join(root, 'data'), 0o2770);
  symlinkSync('/data', join(root, 'link'));
  utimesSync(join(root, 'data'), 1e9, 1e9);
  await archiver.copyTree({ root, path: '/link', target, signal });
  assert.deepEqual(describeTree(target), withoutOverlay(describeTree(join(root, 'data'))));
  assert.equal(lstatSync(join(target, 'another')).nlink, 2);
  await assert.rejects(archiver.copyTree({ root, path: '/nope', target, signal }), { kind: 'notFound' });
  await assert.rejects(archiver.copyTree({ root, path: '/data/null', target, signal }), {
    kind: 'invalidArgument',
  });
});

test('usage() counts hard links once', async () => {
  using folder = temporaryFolder();
  fill(folder.path);
  const { allocated, ...counts } = await archiver.usage(folder.path, { signal });
  assert.deepEqual(counts, { size: 7, inodes: 7 });
  const du = (...args: string[]): number =>
    Number.parseInt(execFileSync('du', [...args, '--block-size=1', folder.path], { encoding: 'utf8' }));
  assert.equal(allocated, du('-s') - statSync(folder.path).blocks * 512);
});

test('removeTree() removes trees of any depth, and a missing one', async () => {
  using folder = temporaryFolder();
  const top = join(folder.path, 'top');
  mkdirSync(top);
  const home = process.cwd();
  try {
    process.chdir(top);
    for (let depth = 0; depth < 1500; depth += 1) {
      mkdirSync('down');
      process.chdir('down');
    }
    writeFileSync('file', '');
  } finally {
    process.chdir(home);
  }
  symlinkSync('/etc', join(top, 'etc'));
  await archiver.removeTree(top, { signal });
  assert.ok(!existsSync(top));
  assert.ok(existsSync('/etc/passwd'));
  await archiver.removeTree(top, { signal });
  await archiver.removeTree(join(folder.path, 'no/such'), { signal });
  assert.deepEqual(readdirSync(folder.path), []);
});
