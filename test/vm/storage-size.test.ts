import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { after, test } from 'node:test';
import { busyboxArchive, startDaemon, succeed } from '../setup/index.ts';

// A disk whose file system counts projects.
const image = '/var/tmp/wharf-quota.img';
const disk = '/var/tmp/wharf-quota';
await mkdir(disk);
await succeed('mkfs.ext4', ['-q', '-F', '-O', 'quota,project', image, '512M']);
await succeed('mount', ['-o', 'loop,prjquota', image, disk]);
// Where data roots of tests are made.
process.env['TMPDIR'] = disk;
const daemon = await startDaemon();
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await succeed('umount', [disk]);
  await rm(image);
  await rm(disk, { recursive: true });
});
await daemon.docker(['load', '-i', await busyboxArchive()]);

test('--storage-opt size is the most that a container writes', async () => {
  const write = (size: string, mebibytes: number) =>
    daemon.docker([
      ...['run', '--rm', '--storage-opt', `size=${size}`, 'busybox'],
      ...['dd', 'if=/dev/zero', 'of=/file', 'bs=1M', `count=${mebibytes}`],
    ]);
  const fits = await write('16m', 12);
  assert.equal(fits.code, 0, fits.stderr);
  const over = await write('16m', 24);
  assert.notEqual(over.code, 0);
  assert.match(over.stderr, /No space left on device|Disk quota exceeded/);
  assert.equal((await write('64M', 24)).code, 0);
});

test('--storage-opt size is gone with its container', async () => {
  const run = ['run', '--rm', 'busybox', 'dd', 'if=/dev/zero', 'of=/file', 'bs=1M', 'count=64'];
  const { code, stderr } = await daemon.docker(run);
  assert.equal(code, 0, stderr);
  const odd = await daemon.docker(['run', '--rm', '--storage-opt', 'size=odd', 'busybox', 'true']);
  assert.match(odd.stderr, /invalid size: 'odd'/);
});
