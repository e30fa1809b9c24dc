import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#kernel';
import { Database } from '#metadata';
import type { ExecMount } from '../graph/vertex.ts';
import { CacheMounts, type MountSharing } from './cache-mounts.ts';

const { signal } = new AbortController();

interface Bench extends AsyncDisposable {
  readonly mounts: CacheMounts;
  /** The same folder for another run of the engine. */
  again(): Promise<CacheMounts>;
}

async function bench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-mounts-'));
  const db = new Database(':memory:');
  const open = async (): Promise<CacheMounts> => {
    const mounts = new CacheMounts(join(folder, 'caches'), db, systemClock);
    await mounts.start();
    return mounts;
  };
  return {
    mounts: await open(),
    again: open,
    [Symbol.asyncDispose]: async () => {
      db[Symbol.dispose]();
      await rm(folder, { recursive: true });
    },
  };
}

const request = (
  id: string,
  sharing: MountSharing,
  fill: (folder: string) => Promise<void> = () => Promise.resolve(),
): Parameters<CacheMounts['open']>[0] => ({ id, origin: '', sharing, fill });

test('open() gives commands that share a cache one folder, and private ones a folder each', async () => {
  await using bed = await bench();
  const { mounts } = bed;
  const [a, b] = await Promise.all([
    mounts.open(request('x', 'shared'), { signal }),
    mounts.open(request('x', 'shared'), { signal }),
  ]);
  assert.equal(a.path, b.path);
  const own = await mounts.open(request('x', 'private'), { signal });
  assert.notEqual(own.path, a.path);
  for (const each of [a, b, own]) each[Symbol.dispose]();
  const free = await mounts.open(request('x', 'private'), { signal });
  assert.equal(free.path, a.path);
  free[Symbol.dispose]();
  assert.equal(mounts.list().length, 2);
});

const locked = (id: string): ExecMount => ({
  ...{
    kind: 'cache',
    target: `/${id}`,
    from: 'scratch',
    source: '/',
    id,
    sharing: 'locked',
    readOnly: false,
  },
});

test('reserve() makes those of a locked cache wait, until they are cancelled', async () => {
  await using bed = await bench();
  const { mounts } = bed;
  const first = await mounts.reserve([locked('y'), locked('x'), locked('x')], { signal });
  const abort = new AbortController();
  const cancelled = mounts.reserve([locked('x')], { signal: abort.signal });
  let isTheirs = false;
  const second = mounts.reserve([locked('x'), locked('y')], { signal }).then((reserved) => {
    isTheirs = true;
    return reserved;
  });
  abort.abort(new Error('enough'));
  await assert.rejects(cancelled, /enough/);
  (await mounts.reserve([{ ...locked('x'), sharing: 'shared' } as ExecMount], { signal }))[Symbol.dispose]();
  assert.equal(isTheirs, false);
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
});

test('open() fills a new cache once, and leaves none that could not be filled', async () => {
  await using bed = await bench();
  const { mounts } = bed;
  let fills = 0;
  const fill = async (folder: string): Promise<void> => {
    fills += 1;
    if (fills === 1) throw new Error('no room');
    await writeFile(join(folder, 'file'), 'first');
  };
  await assert.rejects(mounts.open(request('x', 'shared', fill), { signal }), /no room/);
  assert.deepEqual(await readdir(mounts.root), []);
  const opened = await mounts.open(request('x', 'shared', fill), { signal });
  await writeFile(join(opened.path, 'file'), 'second');
  opened[Symbol.dispose]();
  using again = await mounts.open(request('x', 'shared', fill), { signal });
  assert.equal(await readFile(join(again.path, 'file'), 'utf8'), 'second');
  assert.equal(fills, 2);
});

test('remove() leaves what is used; start() removes what is half made, and keeps the rest', async () => {
  await using bed = await bench();
  const { mounts } = bed;
  const opened = await mounts.open(request('x', 'shared'), { signal });
  const [record] = mounts.list();
  assert.ok(record);
  assert.equal(await mounts.remove(record.folder), false);
  opened[Symbol.dispose]();
  await mkdir(join(mounts.root, '.passing-1'));
  const next = await bed.again();
  assert.deepEqual(await readdir(next.root), [record.folder]);
  assert.equal(await next.remove(record.folder), true);
  assert.equal(existsSync(opened.path), false);
  assert.deepEqual(next.list(), []);
});
