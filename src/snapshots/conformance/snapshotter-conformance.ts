import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { createArchiver, type Archiver } from '#archive';
import { silentLogger, systemClock } from '#kernel';
import { bindMount, listMounts, unmount, unmountBelow } from '#linux';
import { Database } from '#metadata';
import type { Digest } from '#oci';
import type { FolderSnapshotter, SnapshotterOptions } from '../folder-snapshotter.ts';

type Create = (options: SnapshotterOptions) => FolderSnapshotter;

/** A snapshotter on a folder of its own, which can be stopped and started again. */
interface Bench extends AsyncDisposable {
  readonly root: string;
  readonly archiver: Archiver;
  snapshotter: FolderSnapshotter;
  /** `boot`: another one is what a loss of power leads to. */
  restart(boot?: string): Promise<void>;
  /** A new empty folder beside the root. */
  folder(): string;
}

async function openBench(create: Create): Promise<Bench> {
  const base = mkdtempSync(join(tmpdir(), 'wharf-snapshots-'));
  const root = join(base, 'snapshots');
  const archiver = createArchiver();
  let db = new Database(join(base, 'db'));
  const make = async (boot = 'first'): Promise<FolderSnapshotter> => {
    const snapshotter = create({ root, db, clock: systemClock, logger: silentLogger, archiver, boot });
    await snapshotter.start();
    return snapshotter;
  };
  const bench: Bench = {
    root,
    archiver,
    snapshotter: await make(),
    async restart(boot) {
      await bench.snapshotter[Symbol.asyncDispose]();
      db[Symbol.dispose]();
      db = new Database(join(base, 'db'));
      bench.snapshotter = await make(boot);
    },
    folder: () => mkdtempSync(join(base, 'folder-')),
    async [Symbol.asyncDispose]() {
      await bench.snapshotter[Symbol.asyncDispose]();
      await archiver[Symbol.asyncDispose]();
      db[Symbol.dispose]();
      unmountBelow(root);
      const left = listMounts().filter(({ target }) => target.startsWith(base));
      rmSync(base, { recursive: true, force: true });
      assert.deepEqual(left, []);
    },
  };
  return bench;
}

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}` as Digest; // well-formed by construction

/** Mounts, runs, unmounts. */
function mounted<T>(bench: Bench, key: string, use: (path: string) => T, readonly = false): T {
  const target = bench.folder();
  bench.snapshotter.mount(key, target, { readonly });
  try {
    return use(target);
  } finally {
    unmount(target);
  }
}

/** A committed layer with one file. */
async function layer(bench: Bench, name: Digest, parent: Digest | undefined, file: string): Promise<void> {
  await bench.snapshotter.prepare(`making-${name}`, parent);
  mounted(bench, `making-${name}`, (path) => writeFileSync(join(path, file), file));
  await bench.snapshotter.commit(name, `making-${name}`, { size: file.length });
}

type Case = readonly [title: string, run: (bench: Bench) => Promise<void>];

const life: readonly Case[] = [
  [
    'prepare() and commit() build a chain whose layers are all seen',
    async (bench) => {
      const [one, two] = [digest('1'), digest('2')];
      await layer(bench, one, undefined, 'first');
      await layer(bench, two, one, 'second');
      const mounts = await bench.snapshotter.prepare('container', two);
      assert.ok(mounts.upper !== undefined);
      mounted(bench, 'container', (path) => {
        assert.deepEqual(readdirSync(path).sort(), ['first', 'second']);
        rmSync(join(path, 'first'));
        writeFileSync(join(path, 'third'), 'x');
      });
      mounted(bench, 'container', (path) => assert.deepEqual(readdirSync(path).sort(), ['second', 'third']));
      mounted(bench, two, (path) => assert.deepEqual(readdirSync(path).sort(), ['first', 'second']));
      const info = bench.snapshotter.find(two);
      assert.deepEqual(
        { ...info, createdAt: undefined },
        { key: two, parent: one, kind: 'committed', size: 6, createdAt: undefined },
      );
      assert.deepEqual(
        bench.snapshotter
          .list()
          .map(({ key }) => key)
          .sort(),
        ['container', one, two].sort(),
      );
    },
  ],
  [
    'mount() is read-only for committed snapshots and when asked',
    async (bench) => {
      await layer(bench, digest('1'), undefined, 'file');
      await bench.snapshotter.prepare('container', digest('1'));
      for (const [key, readonly] of [
        [digest('1'), false],
        ['container', true],
      ] as const) {
        const write = (path: string): void => writeFileSync(join(path, 'x'), '');
        assert.throws(() => mounted(bench, key, write, readonly), { code: 'EROFS' });
      }
    },
  ],
  [
    'prepare() keeps the attributes of the root folder',
    async (bench) => {
      const { upper = '' } = await bench.snapshotter.prepare('base', undefined);
      chmodSync(upper, 0o1751);
      chownSync(upper, 3, 4);
      await bench.snapshotter.commit(digest('1'), 'base', { size: 0 });
      await bench.snapshotter.prepare('container', digest('1'));
      mounted(bench, 'container', (path) => {
        const { mode, uid, gid } = statSync(path);
        assert.deepEqual([mode & 0o7777, uid, gid], [0o1751, 3, 4]);
      });
      await assert.rejects(bench.snapshotter.usage('base'), { kind: 'notFound' });
    },
  ],
  [
    'usage() counts bytes and inodes of the own files',
    async (bench) => {
      const { upper = '' } = await bench.snapshotter.prepare('container', undefined);
      mkdirSync(join(upper, 'folder'));
      writeFileSync(join(upper, 'folder/file'), 'four');
      assert.deepEqual(await bench.snapshotter.usage('container'), { size: 4, inodes: 2 });
    },
  ],
  [
    'disk() counts what du counts, and a committed snapshot only once',
    async (bench) => {
      const du = (path: string): number =>
        Number.parseInt(execFileSync('du', ['-s', '--block-size=1', path], { encoding: 'utf8' }));
      const { upper = '' } = await bench.snapshotter.prepare('making', undefined);
      writeFileSync(join(upper, 'file'), 'x'.repeat(5000));
      const folder = dirname(upper);
      assert.equal(await bench.snapshotter.disk('making'), du(folder));
      await bench.snapshotter.commit(digest('1'), 'making', { size: 5000 });
      const counted = await bench.snapshotter.disk(digest('1'));
      assert.equal(counted, du(folder));
      rmSync(join(upper, 'file'));
      await bench.restart();
      assert.equal(await bench.snapshotter.disk(digest('1')), counted);
    },
  ],
  [
    'remove() of a snapshot whose folder cannot move succeeds; the next start finishes it',
    async (bench) => {
      const { upper = '' } = await bench.snapshotter.prepare('busy', undefined);
      const folder = dirname(upper);
      bindMount(folder, folder);
      await bench.snapshotter.remove('busy');
      assert.equal(bench.snapshotter.find('busy'), undefined);
      assert.ok(existsSync(folder));
      await bench.restart();
      assert.equal(existsSync(folder), false);
    },
  ],
  [
    'usage() does not find what is removed under the count',
    async (bench) => {
      const { upper = '' } = await bench.snapshotter.prepare('container', undefined);
      for (let index = 0; index < 200; index += 1) writeFileSync(join(upper, String(index)), 'x');
      const counted = bench.snapshotter.usage('container');
      await bench.snapshotter.remove('container');
      // It may have been counted before.
      await counted.catch((error: unknown) => assert.equal((error as { kind?: string }).kind, 'notFound'));
    },
  ],
  [
    'diffLayer() and changes() of the archiver see what a container changed',
    async (bench) => {
      await layer(bench, digest('1'), undefined, 'old');
      const mounts = await bench.snapshotter.prepare('container', digest('1'));
      mounted(bench, 'container', (path) => {
        rmSync(join(path, 'old'));
        writeFileSync(join(path, 'new'), 'fresh');
      });
      const { signal } = new AbortController();
      assert.deepEqual(await bench.archiver.changes({ mounts, signal }), [
        { path: '/new', kind: 'added' },
        { path: '/old', kind: 'deleted' },
      ]);
      const { stream } = bench.archiver.diffLayer({ mounts, signal });
      const again = await bench.snapshotter.prepare('again', digest('1'));
      const applied = await bench.archiver.applyLayer({ stream }, { mounts: again, signal });
      assert.equal(applied.size, 5);
      mounted(bench, 'again', (path) => {
        assert.deepEqual(readdirSync(path), ['new']);
        assert.equal(readFileSync(join(path, 'new'), 'utf8'), 'fresh');
      });
    },
  ],
];

const refusals: readonly Case[] = [
  [
    'prepare() rejects an existing key, a missing and an active parent',
    async (bench) => {
      await bench.snapshotter.prepare('active', undefined);
      const { snapshotter } = bench;
      await assert.rejects(snapshotter.prepare('active', undefined), { kind: 'conflict' });
      await assert.rejects(snapshotter.prepare('x', digest('9')), { kind: 'notFound' });
      await assert.rejects(snapshotter.prepare('x', 'active'), { kind: 'invalidArgument' });
      assert.equal(snapshotter.find('x'), undefined);
      await snapshotter.emptied();
      assert.equal(readdirSync(bench.root).length, 2);
    },
  ],
  [
    'prepare() of one key twice at once makes it once',
    async (bench) => {
      await layer(bench, digest('1'), undefined, 'file');
      const both = ['twice', 'twice'].map((key) => bench.snapshotter.prepare(key, digest('1')));
      const outcomes = (await Promise.allSettled(both)).map(({ status }) => status);
      assert.deepEqual(outcomes.sort(), ['fulfilled', 'rejected']);
    },
  ],
  [
    'remove() refuses a parent, is idempotent and frees the disk',
    async (bench) => {
      await layer(bench, digest('1'), undefined, 'file');
      await bench.snapshotter.prepare('container', digest('1'));
      await assert.rejects(bench.snapshotter.remove(digest('1')), { kind: 'conflict' });
      await bench.snapshotter.remove('container');
      await bench.snapshotter.remove('container');
      await bench.snapshotter.remove(digest('1'));
      await bench.snapshotter.emptied();
      assert.deepEqual(readdirSync(bench.root), ['trash']);
      assert.deepEqual(readdirSync(join(bench.root, 'trash')), []);
      assert.throws(() => bench.snapshotter.mounts('container'), { kind: 'notFound' });
    },
  ],
  [
    'commit() keeps the snapshot that has the name already',
    async (bench) => {
      await layer(bench, digest('1'), undefined, 'file');
      const before = bench.snapshotter.mounts(digest('1'));
      await layer(bench, digest('1'), undefined, 'other');
      assert.deepEqual(bench.snapshotter.mounts(digest('1')), before);
      assert.equal(bench.snapshotter.list().length, 1);
      await assert.rejects(bench.snapshotter.commit(digest('2'), 'nope', { size: 0 }), { kind: 'notFound' });
      await assert.rejects(bench.snapshotter.commit(digest('2'), digest('1'), { size: 0 }), {
        kind: 'conflict',
      });
    },
  ],
];

const recovery: readonly Case[] = [
  [
    'start() finds everything again',
    async (bench) => {
      await layer(bench, digest('1'), undefined, 'file');
      await bench.snapshotter.prepare('container', digest('1'));
      const before = bench.snapshotter.list();
      await bench.restart();
      assert.deepEqual(bench.snapshotter.list(), before);
      mounted(bench, 'container', (path) => assert.deepEqual(readdirSync(path), ['file']));
      await bench.snapshotter.prepare('another', digest('1'));
    },
  ],
  [
    'replace() gives a committed snapshot other files, for what stands on it too',
    async (bench) => {
      const { snapshotter } = bench;
      await layer(bench, digest('1'), undefined, 'file');
      await layer(bench, digest('2'), digest('1'), 'more');
      const { upper = '' } = await snapshotter.prepare('mended', undefined);
      writeFileSync(join(upper, 'better'), '');
      await assert.rejects(snapshotter.replace(digest('2'), 'mended'), { kind: 'invalidArgument' });
      await assert.rejects(snapshotter.replace(digest('9'), 'mended'), { kind: 'notFound' });
      await snapshotter.replace(digest('1'), 'mended');
      assert.equal(snapshotter.find('mended'), undefined);
      mounted(bench, digest('1'), (path) => assert.deepEqual(readdirSync(path), ['better']), true);
      await assert.rejects(snapshotter.remove(digest('1')), { kind: 'conflict' });
      await snapshotter.emptied();
      await bench.restart('second');
      mounted(bench, digest('1'), (path) => assert.deepEqual(readdirSync(path), ['better']), true);
    },
  ],
  [
    'start() keeps what was flushed before the machine went down, and drops the rest with all that stands on it',
    async (bench) => {
      await layer(bench, digest('1'), undefined, 'file');
      await bench.snapshotter.flush();
      await layer(bench, digest('2'), digest('1'), 'more');
      await bench.restart();
      await Promise.all([bench.snapshotter.flush(), bench.snapshotter.flush()]);
      await layer(bench, digest('3'), digest('1'), 'lost');
      await layer(bench, digest('4'), digest('3'), 'lost');
      await bench.snapshotter.prepare('container', digest('1'));
      await bench.restart();
      assert.equal(bench.snapshotter.list().length, 5, 'the machine has not gone down');
      await bench.restart('second');
      const keys = bench.snapshotter.list().map(({ key }) => key);
      assert.deepEqual(keys.sort(), [digest('1'), digest('2'), 'container'].sort());
      await bench.snapshotter.emptied();
      assert.equal(readdirSync(bench.root).length, 4, 'three snapshots and the trash');
    },
  ],
  [
    'start() removes folders without a row and rows without a folder',
    async (bench) => {
      await layer(bench, digest('1'), undefined, 'file');
      await layer(bench, digest('2'), digest('1'), 'more');
      await layer(bench, digest('3'), undefined, 'kept');
      mkdirSync(join(bench.root, 'zz/fs'), { recursive: true });
      mkdirSync(join(bench.root, 'trash/zy/fs'), { recursive: true });
      const lost = bench.snapshotter.mounts(digest('1')).lower[0] ?? '';
      rmSync(join(lost, '..'), { recursive: true });
      await bench.restart();
      await bench.snapshotter.emptied();
      assert.deepEqual(
        bench.snapshotter.list().map(({ key }) => key),
        [digest('3')],
      );
      assert.ok(!existsSync(join(bench.root, 'zz')));
      assert.equal(readdirSync(bench.root).length, 2);
      assert.deepEqual(readdirSync(join(bench.root, 'trash')), []);
    },
  ],
];

/** Registers the tests that every snapshotter passes. */
export function testSnapshotter(name: string, create: Create): void {
  for (const [title, run] of [...life, ...refusals, ...recovery]) {
    void test(`${name}: ${title}`, async () => {
      await using bench = await openBench(create);
      await run(bench);
    });
  }
}
