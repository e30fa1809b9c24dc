import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import {
  busyboxLayer,
  imageOf,
  startRegistry,
  succeed,
  writeArchive,
  type Daemon,
  type ImageSettings,
  type Registry,
  type TestImage,
} from '../../setup/index.ts';
import { Engine } from '../docker-cli/engine.ts';
import { assertHoldings, holdings } from './support.ts';
import { tarFile } from './tar-file.ts';

type Moment = (added: readonly string[]) => boolean;

/** How far an image has come, told from what has been added to the data root. */
const imageMoments: readonly (readonly [string, Moment])[] = [
  ['at once', () => true],
  ['while blobs arrive', (added) => added.some((line) => line.startsWith('ingest '))],
  ['once a blob is there', (added) => added.some((line) => line.startsWith('blob '))],
  ['while layers are unpacked', (added) => added.some((line) => line.startsWith('snapshots '))],
  ['once most of it is there', (added) => added.filter((line) => line.startsWith('blob ')).length >= 4],
];

/** What an interrupted pull has brought is kept for a while: the next one goes on from there. */
const withoutKept =
  (before: readonly string[]) =>
  (lines: readonly string[]): readonly string[] =>
    lines.filter(
      (line) => !line.startsWith('ingest key-') && (!line.startsWith('blob ') || before.includes(line)),
    );

/** How many snapshots there are, told from a line of holdings(); 0 without that line. */
const snapshotsIn = (lines: readonly string[]): number =>
  Number(lines.find((line) => line.startsWith('snapshots '))?.split(' ')[1] ?? 0);

describe('a killed daemon leaves nothing half-made', () => {
  let engine: Engine;
  let daemon: Daemon;
  let registry: Registry;
  let image: TestImage;
  let clean: readonly string[];
  before(async () => {
    [engine, registry] = await Promise.all([Engine.start(), startRegistry()]);
    assert.ok(engine.daemon, 'needs an engine of its own');
    daemon = engine.daemon;
    image = await layered({ Cmd: ['sh'] });
    await registry.publish('layered:1', image);
    clean = await holdings(daemon);
  });
  after(async () => {
    await registry.stop();
    await engine[Symbol.asyncDispose]();
  });

  /** busybox under three layers of noise. */
  async function layered(settings: ImageSettings): Promise<TestImage> {
    const paths = [];
    for (let n = 0; n < 3; n += 1) {
      const path = join(engine.folder, `noise${n}.tar`);
      const members = Array.from({ length: 40 }, (_, file) => ({
        name: `noise-${n}-${file}`,
        content: randomBytes(100_000),
      }));
      await writeFile(path, tarFile(members));
      paths.push(path);
    }
    return imageOf([await busyboxLayer(), ...paths], settings);
  }

  /** Begins `task` and kills the daemon at the moment, or when the task is over; then starts it again. */
  async function killedAt(moment: Moment, task: () => Promise<unknown>): Promise<void> {
    const held = new Set(await holdings(daemon));
    let over = false;
    const running = task().finally(() => (over = true));
    await setImmediate();
    // Changes behind the compiler's back.
    const isOver = (): boolean => over;
    while (!isOver() && !moment((await holdings(daemon)).filter((line) => !held.has(line))))
      await setImmediate();
    await daemon.kill9();
    await running;
    await daemon.start();
  }

  const occupied = async (): Promise<number> =>
    Number((await succeed('du', ['-s', '-k', join(daemon.dataRoot, 'content')])).split('\t')[0]) +
    Number((await succeed('du', ['-s', '-k', '-x', join(daemon.dataRoot, 'snapshots')])).split('\t')[0]);

  async function arrives(args: readonly string[], name: string, isPull: boolean): Promise<void> {
    for (const [title, moment] of imageMoments) {
      const taken = await occupied();
      await killedAt(moment, () => engine.try(args));
      const known = await engine.try(['image', 'inspect', name]);
      if (known.code === 0) await engine.docker('rmi', name);
      else await assertHoldings(daemon, clean, isPull ? withoutKept(clean) : undefined);
      await engine.docker(...args);
      assert.equal(await engine.docker('run', '--rm', name, 'echo', 'whole'), 'whole', title);
      await engine.docker('rmi', name);
      await assertHoldings(daemon, clean);
      const more = (await occupied()) - taken;
      assert.ok(Math.abs(more) <= 64, `${title}: ${more} KiB more are taken than before`);
    }
  }

  test('at several moments of docker pull', async () => {
    const name = `${registry.address}/layered:1`;
    await arrives(['pull', '-q', name], name, true);
  });

  test('at several moments of docker load', async () => {
    const archive = join(engine.folder, 'layered.tar');
    await writeArchive(archive, [{ image, tags: ['layered:2'] }]);
    await arrives(['load', '-q', '-i', archive], 'layered:2', false);
  });

  /** What is there belongs to a container that is listed. Answers their ids. */
  async function listed(): Promise<readonly string[]> {
    const ids = (await engine.docker('ps', '-aq', '--no-trunc')).split('\n').filter(Boolean);
    const found = await holdings(daemon);
    const strays = found.filter((line) => line.startsWith('container ') && !ids.includes(line.slice(10)));
    assert.deepEqual(strays, [], 'folders of containers that are not listed');
    assert.equal(snapshotsIn(found), snapshotsIn(clean) + ids.length, 'snapshots');
    return ids;
  }

  const names = ['one', 'two', 'three', 'four'];

  test('at several moments of docker create', async () => {
    const made =
      (count: number): Moment =>
      (added) =>
        snapshotsIn(added) >= snapshotsIn(clean) + count;
    for (const moment of [() => true, made(1), made(2), made(3), made(4)]) {
      await killedAt(moment, () =>
        Promise.all(names.map((name) => engine.try(['create', '--name', name, 'busybox', 'true']))),
      );
      for (const id of await listed()) await engine.docker('start', '-a', id);
      for (const name of names) {
        // The name of a container that came to nothing is free.
        if ((await engine.try(['inspect', name])).code !== 0)
          await engine.docker('create', '--name', name, 'busybox');
      }
      await engine.docker('rm', ...names);
      await assertHoldings(daemon, clean);
    }
  });

  test('at several moments of docker start', async () => {
    const mounts =
      (count: number): Moment =>
      (added) =>
        added.filter((line) => line.startsWith('mount ')).length >= count;
    for (const moment of [() => true, mounts(1), mounts(3), mounts(6), mounts(8)]) {
      for (const name of names) await engine.docker('create', '--name', name, 'busybox', 'sleep', '1000');
      await killedAt(moment, () => Promise.all(names.map((name) => engine.try(['start', name]))));
      assert.equal((await listed()).length, names.length);
      for (const name of names) {
        const state = await engine.inspect(name, '{{.State.Status}}');
        assert.ok(['created', 'running', 'exited'].includes(state), state);
        await engine.docker('start', name);
        assert.equal(await engine.docker('exec', name, 'echo', 'here'), 'here');
      }
      await engine.docker('rm', '-f', ...names);
      await assertHoldings(daemon, clean);
    }
  });
});
