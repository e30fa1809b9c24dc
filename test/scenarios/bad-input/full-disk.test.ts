import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  busyboxArchive,
  imageOf,
  startDaemon,
  startRegistry,
  succeed,
  writeArchive,
  type Daemon,
  type TestImage,
} from '../../setup/index.ts';
import { assertHoldings, holdings } from './support.ts';
import { tarFile } from './tar-file.ts';

const megabyte = 1 << 20;

const used = async (daemon: Daemon): Promise<number> => {
  const { blocks, bfree, bsize } = await statfs(daemon.dataRoot);
  return (blocks - bfree) * bsize;
};

/** An engine whose data root is a disk of its own of so many megabytes. */
async function onSmallDisk(size: number, task: (daemon: Daemon) => Promise<void>): Promise<void> {
  await using daemon = await startDaemon();
  await daemon.stop();
  await succeed('mount', ['-t', 'tmpfs', '-o', `size=${size}m`, 'small', daemon.dataRoot]);
  try {
    await daemon.start();
    await task(daemon);
    await daemon.removeContainers();
    await daemon.stop();
  } finally {
    await daemon.kill9();
    await succeed('umount', ['-R', '-l', daemon.dataRoot]);
  }
}

async function docker(daemon: Daemon, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(args);
  assert.equal(code, 0, `docker ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

/** What does not compress, in so many layers of so many megabytes. */
async function big(folder: string, layers: number, size: number): Promise<TestImage> {
  const paths = [];
  for (let n = 0; n < layers; n += 1) {
    const path = join(folder, `big-${size}-${n}.tar`);
    await writeFile(path, tarFile([{ name: `noise${n}`, content: randomBytes(size * megabyte) }]));
    paths.push(path);
  }
  return imageOf(paths, { Cmd: ['x'] });
}

test('a disk that gets full while an image arrives keeps the engine whole', async () => {
  await using registry = await startRegistry();
  await onSmallDisk(32, async (daemon) => {
    await docker(daemon, 'load', '-q', '-i', await busyboxArchive());
    const [downloading, unpacking] = [await big(daemon.folder, 3, 14), await big(daemon.folder, 2, 8)];
    await registry.publish('downloading:1', downloading);
    await registry.publish('unpacking:1', unpacking);
    const archive = join(daemon.folder, 'big.tar');
    await writeArchive(archive, [{ image: unpacking, tags: ['loading:1'] }]);
    const [before, occupied] = [await holdings(daemon), await used(daemon)];
    for (const args of [
      ['pull', `${registry.address}/downloading:1`],
      ['pull', `${registry.address}/unpacking:1`],
      ['load', '-i', archive],
    ]) {
      const { code, stderr } = await daemon.docker(args);
      assert.equal(code, 1);
      assert.match(stderr, /no space left on device|disk is full/i, args.join(' '));
      // What could not be struck off the records while the disk was full goes when the engine starts.
      await daemon.restart();
      await assertHoldings(daemon, before);
      const more = (await used(daemon)) - occupied;
      assert.ok(more < megabyte, `${more} bytes are still taken after docker ${args.join(' ')}`);
    }
    assert.equal(await docker(daemon, 'run', '--rm', 'busybox', 'echo', 'alive'), 'alive');
  });
});
