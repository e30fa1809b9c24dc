import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  answerOf,
  busyboxArchive,
  eventually,
  startDaemon,
  succeed,
  dockerArchive,
  smallImage,
  smallImageId,
  type Daemon,
  type SmallImage,
} from '../setup/index.ts';

/** How many images with shared layers; 1,000 takes a few minutes. */
const many = Number(process.env['WHARF_DISK_IMAGES'] ?? 100);
/** Seconds of load with collections among it. */
const seconds = Number(process.env['WHARF_DISK_LOAD'] ?? 3);

const filler = (name: string, size: number): string => name.repeat(Math.ceil(size / name.length));

/** Images that share a base and, ten at a time, a layer on it; each has one of its own. */
function family(count: number): readonly SmallImage[] {
  const base = [
    { name: 'etc/', folder: true },
    ...Array.from({ length: 40 }, (_, n) => ({ name: `etc/base${n}`, content: filler(`base ${n} `, 9000) })),
  ];
  return Array.from({ length: count }, (_, n) => {
    const middle = [{ name: 'etc/middle', content: filler(`middle ${Math.floor(n / 10)} `, 50_000) }];
    return smallImage([base, middle, [{ name: 'etc/own', content: filler(`own ${n} `, 20_000) }]]);
  });
}

interface Usage {
  readonly ImageUsage: {
    readonly TotalSize: number;
    readonly Reclaimable: number;
    readonly TotalCount: number;
  };
  readonly ContainerUsage: { readonly TotalSize: number };
  readonly VolumeUsage: { readonly TotalSize: number; readonly TotalCount: number };
  readonly Wharf: {
    readonly Bin: { readonly Count: number; readonly Images: number; readonly Volumes: number };
    readonly Records: number;
  };
}

async function usageOf(daemon: Daemon): Promise<{ readonly usage: Usage; readonly total: number }> {
  const { status, body } = await daemon.get('/v1.52/system/df');
  assert.equal(status, 200, body);
  const usage = JSON.parse(body) as Usage;
  const { ImageUsage, ContainerUsage, VolumeUsage, Wharf } = usage;
  const nouns = ImageUsage.TotalSize + ContainerUsage.TotalSize + VolumeUsage.TotalSize;
  return { usage, total: nouns + Wharf.Bin.Volumes + Wharf.Records };
}

const du = async (path: string): Promise<number> =>
  Number.parseInt(await succeed('du', ['-sx', '--block-size=1', path]));

async function assertEqualToDu(daemon: Daemon): Promise<Usage> {
  const { usage, total } = await usageOf(daemon);
  const truth = await du(daemon.dataRoot);
  const share = Math.abs(total - truth) / truth;
  assert.ok(share < 0.01, `df says ${total}, du ${truth}: ${JSON.stringify(usage)}`);
  return usage;
}

async function load(daemon: Daemon, entries: Parameters<typeof dockerArchive>[0]): Promise<void> {
  const path = join(daemon.folder, 'load.tar');
  await writeFile(path, dockerArchive(entries));
  await answerOf(daemon.docker, ['load', '-q', '-i', path]);
}

const filesIn = async (path: string): Promise<readonly string[]> =>
  (await readdir(path, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

/** That no blob and no snapshot is left. */
async function assertEmpty(daemon: Daemon): Promise<void> {
  await eventually(async () => {
    const snapshots = await readdir(join(daemon.dataRoot, 'snapshots'));
    const trash = await readdir(join(daemon.dataRoot, 'snapshots/trash'));
    return snapshots.join() === 'trash' && trash.length === 0;
  });
  assert.deepEqual(await filesIn(join(daemon.dataRoot, 'content')), []);
}

describe('disk', () => {
  let daemon: Daemon;
  const docker = (...args: string[]): Promise<string> => answerOf(daemon.docker, args);
  const wharf = (...args: string[]): Promise<string> => answerOf(daemon.wharf, args);
  before(async () => {
    daemon = await startDaemon();
    await docker('load', '-q', '-i', await busyboxArchive());
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
  });

  test('df is equal to du: images that share layers, containers, logs, volumes, the bin', async () => {
    const images = family(many);
    for (let from = 0; from < many; from += 50) {
      const some = images.slice(from, from + 50);
      await load(
        daemon,
        some.map((image, n) => ({ image, tags: [`family:${from + n}`] })),
      );
    }
    await docker(
      'run',
      '--name',
      'writer',
      'busybox',
      'sh',
      '-c',
      'dd if=/dev/zero of=/big bs=1M count=7; seq 50000',
    );
    await docker(
      'run',
      '-d',
      '--name',
      'runner',
      '-v',
      'data:/data',
      'busybox',
      'sh',
      '-c',
      'dd if=/dev/zero of=/data/big bs=1M count=5; mkdir -p /data/a/b; sync; sleep 1000',
    );
    await eventually(async () => (await docker('exec', 'runner', 'ls', '/data')).includes('a'));
    const usage = await assertEqualToDu(daemon);
    assert.equal(usage.ImageUsage.TotalCount, many + 1);
    assert.ok(usage.VolumeUsage.TotalSize >= 5 << 20 && usage.VolumeUsage.TotalSize < 6 << 20);
    // Each image by itself and what all share: their sum is what is on the disk.
    const { body } = await daemon.get('/v1.51/system/df?type=image');
    const { LayersSize, Images } = JSON.parse(body) as {
      LayersSize: number;
      Images: readonly { Size: number; SharedSize: number; RepoTags: readonly string[] }[];
    };
    assert.equal(LayersSize, usage.ImageUsage.TotalSize);
    const [first] = Images.filter(({ RepoTags }) => RepoTags[0]?.startsWith('family'));
    assert.ok(
      first && first.SharedSize > 0.5 * first.Size && first.SharedSize < first.Size,
      JSON.stringify(first),
    );
    await docker('image', 'prune', '-af', '--filter', 'label!=none');
    await docker('rm', '-f', 'runner');
    await docker('volume', 'prune', '-af');
    const binned = await assertEqualToDu(daemon);
    assert.equal(binned.Wharf.Bin.Count, many + 1);
    assert.ok(binned.Wharf.Bin.Volumes >= 5 << 20);
    assert.match(await wharf('system', 'df'), /^Bin +\d+ +0 +[\d.]+[kM]B +[\d.]+[kM]B \(100%\)$/m);
    assert.match(await wharf('system', 'df', '-v'), /UNIQUE SIZE/);
  });

  test('undo brings the last prune back as a whole; names in use are told', async () => {
    await wharf('system', 'undo');
    assert.equal((await docker('images', '-q', 'family')).split('\n').length, many);
    assert.equal((await assertEqualToDu(daemon)).Wharf.Bin.Count, 0);
    assert.equal(
      await docker('run', '--rm', '-v', 'data:/data', 'busybox', 'sh', '-c', 'ls /data | tr "\\n" " "'),
      'a big ',
    );
    const nothing = await daemon.wharf(['system', 'undo']);
    assert.equal(nothing.code, 1);
    assert.match(nothing.stderr, /the bin is empty: there is nothing to undo/);
    await docker('volume', 'prune', '-af');
    await docker('volume', 'create', 'data');
    const taken = await daemon.wharf(['system', 'undo']);
    assert.equal(taken.code, 1);
    assert.match(taken.stderr, /data stays in the bin: the name data is in use again/);
    const list = await wharf('system', 'undo', '--list');
    const id = /volume +([0-9a-f]{12}) +data /.exec(list)?.[1] ?? '';
    assert.equal(await wharf('system', 'undo', '--name', 'data-again', id), `volume ${id} data-again`);
    assert.deepEqual((await docker('volume', 'ls', '-q')).split('\n'), ['data', 'data-again']);
    await docker('image', 'prune', '-af', '--filter', 'label!=none');
    await load(daemon, [{ image: smallImage([[{ name: 'x', content: 'another' }]]), tags: ['family:0'] }]);
    const named = await daemon.wharf(['system', 'undo']);
    assert.match(named.stderr, /in use by another image by now: family:0; the image is back without/);
    assert.equal((await docker('images', '-q', 'family:7')).split('\n').length, 1);
  });

  test('prune --now frees at once, with what is in the bin; docker rmi does as ever', async () => {
    await docker('volume', 'prune', '-af');
    const { usage } = await usageOf(daemon);
    assert.equal(usage.Wharf.Bin.Count, 2);
    const freed = await wharf('volume', 'prune', '-f', '--now');
    assert.match(freed, /Total reclaimed space: 5\.\d+MB/);
    assert.equal((await usageOf(daemon)).usage.Wharf.Bin.Count, 0);
    const id = (await docker('images', '-q', '--no-trunc', 'family:9')).trim();
    assert.match(await docker('rmi', 'family:9'), new RegExp(`^Untagged: family:9\nDeleted: ${id}\n`));
    const before = await du(daemon.dataRoot);
    const { body } = await daemon.call('POST', '/images/prune?now=1&filters={"dangling":["false"]}');
    const { SpaceReclaimed, ImagesDeleted } = JSON.parse(body) as {
      SpaceReclaimed: number;
      ImagesDeleted: readonly object[];
    };
    assert.ok(ImagesDeleted.length > 3 * (many - 2));
    const gone = await eventually(async () => {
      const now = before - (await du(daemon.dataRoot));
      return Math.abs(now - SpaceReclaimed) < 0.02 * SpaceReclaimed ? now : undefined;
    });
    assert.ok(gone > 0);
    await assertEqualToDu(daemon);
  });

  test('a locked volume is removed by nobody', async () => {
    await docker('volume', 'create', 'precious');
    await wharf('volume', 'lock', 'precious');
    assert.match(await wharf('volume', 'ls'), /DRIVER +VOLUME NAME +STATUS\nlocal +precious +locked/);
    assert.equal(await docker('volume', 'inspect', '-f', '{{.Status.Locked}}', 'precious'), 'true');
    const refused = await daemon.docker(['volume', 'rm', '-f', 'precious']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /remove precious: volume is locked: unlock it first/);
    assert.equal((await daemon.call('DELETE', '/volumes/precious')).status, 409);
    assert.equal(await docker('volume', 'prune', '-af'), 'Total reclaimed space: 0B');
    await daemon.kill9();
    await daemon.start();
    assert.equal((await daemon.call('DELETE', '/volumes/precious?force=1')).status, 409);
    await wharf('volume', 'unlock', 'precious');
    await docker('volume', 'rm', 'precious');
  });

  test('the collector says what it would take, and takes what nobody needs', async () => {
    const plan = await wharf('system', 'gc', '--explain');
    assert.match(plan, /are free; below [\d.]+[GM]B things are removed until/);
    assert.match(plan, /Stays:[^]*busybox:latest[^]*the container writer uses it/);
    await docker('rm', 'writer');
    const tagged = await wharf('system', 'gc', '--explain', '--free', '1000t');
    assert.match(tagged, /Stays:[^]*busybox:latest[^]*it has a tag/);
    assert.match(await wharf('system', 'gc'), /^Total reclaimed space: 0B$/m);
  });

  test('under load nothing that is used goes, and in the end everything does', async () => {
    const [base] = family(1);
    assert.ok(base);
    const until = Date.now() + seconds * 1000;
    const failures: string[] = [];
    const repeat = async (task: (round: number) => Promise<unknown>): Promise<void> => {
      for (let round = 0; Date.now() < until; round += 1) {
        await task(round).catch((error: unknown) => failures.push(String(error)));
      }
    };
    const own = (name: string, n: number): SmallImage =>
      smallImage([[{ name: 'etc/own', content: `${name} ${n}` }]], { settings: { Labels: { name } } });
    const archive = (name: string, image: SmallImage): Promise<void> =>
      writeFile(join(daemon.folder, name), dockerArchive([{ image, tags: [`${name}:latest`] }]));
    await Promise.all([
      repeat(async () => docker('run', '--rm', 'busybox', 'true')),
      repeat(async (round) => {
        await archive('one', own('one', round));
        await docker('load', '-q', '-i', join(daemon.folder, 'one'));
        await docker('create', '--name', `one${round}`, 'one', 'x');
        await docker('rm', `one${round}`);
      }),
      repeat(async (round) => {
        await docker('run', '--name', `two${round}`, 'busybox', 'touch', `/x${round}`);
        const id = await docker('commit', `two${round}`, 'two');
        await docker('rm', `two${round}`);
        await docker('run', '--rm', id, 'ls', `/x${round}`);
      }),
      repeat(async () => daemon.call('POST', '/images/prune')),
      repeat(async () => daemon.call('POST', '/system/gc?free=1000000000000000')),
      repeat(async () => daemon.call('POST', '/system/undo')),
      repeat(async () => daemon.call('GET', '/system/df')),
    ]);
    assert.deepEqual(failures, []);
    await assertEqualToDu(daemon);
    await daemon.removeContainers();
    await wharf('system', 'prune', '-af', '--volumes', '--now');
    assert.equal(await docker('images', '-q'), '');
    await assertEmpty(daemon);
    await assertEqualToDu(daemon);
  });
});

test('kill -9 while prunes and undos run leaves things in their place or in the bin', async () => {
  await using daemon = await startDaemon();
  const images = family(8);
  await load(
    daemon,
    images.map((image, n) => ({ image, tags: [`family:${n}`] })),
  );
  const ids = images.map(smallImageId).sort();
  for (let n = 0; n < 4; n += 1) await answerOf(daemon.docker, ['volume', 'create', `v${n}`]);
  for (let n = 0; n < 4; n += 1) {
    await writeFile(join(daemon.dataRoot, 'volumes', `v${n}`, '_data', 'mark'), `v${n}`);
  }
  const all = encodeURIComponent('{"all":["true"]}');
  const dangling = encodeURIComponent('{"dangling":["false"]}');
  for (let round = 0; round < 3; round += 1) {
    const churn = (async () => {
      for (;;) {
        await daemon.call('POST', `/volumes/prune?filters=${all}`);
        await daemon.call('POST', `/images/prune?filters=${dangling}`);
        await daemon.call('POST', '/system/undo');
      }
    })().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 40 + 67 * round));
    await daemon.kill9();
    await churn;
    await daemon.start();
    const { body } = await daemon.get('/system/bin');
    const bin = JSON.parse(body) as readonly { Kind: string; Id: string; Names: readonly string[] }[];
    for (const { Id } of bin) assert.equal((await daemon.call('POST', `/system/undo?id=${Id}`)).status, 200);
    const listed = JSON.parse((await daemon.get('/images/json')).body) as readonly {
      Id: string;
      RepoTags: readonly string[];
    }[];
    assert.deepEqual(listed.map(({ Id }) => Id).sort(), ids);
    assert.deepEqual(
      listed.flatMap(({ RepoTags }) => RepoTags).sort(),
      ids.map((_, n) => `family:${n}`),
    );
    for (let n = 0; n < 4; n += 1) {
      assert.equal(
        await readFile(join(daemon.dataRoot, 'volumes', `v${n}`, '_data', 'mark'), 'utf8'),
        `v${n}`,
      );
    }
    assert.deepEqual((await readdir(join(daemon.dataRoot, 'volumes'))).sort(), ['v0', 'v1', 'v2', 'v3']);
  }
});

test('with too little free space the bin is not used, and unused images without a tag go by themselves', async () => {
  const gc = { 'low-space': '100%', 'min-age': '0', interval: '1s', tagged: true, 'tagged-images': ['ci/*'] };
  await using daemon = await startDaemon({ config: { gc } });
  const docker = (...args: string[]): Promise<string> => answerOf(daemon.docker, args);
  await docker('load', '-q', '-i', await busyboxArchive());
  const [first, second, third] = family(3);
  assert.ok(first && second && third);
  const since = String(Date.now() / 1000 - 1);
  await load(daemon, [
    { image: first, tags: ['kept:1'] },
    { image: second, tags: ['ci/thrown:1'] },
    { image: third },
  ]);
  await docker('create', '--name', 'user', 'busybox');
  const left = async (): Promise<string> =>
    (await docker('images', '--format', '{{.Repository}}')).split('\n').sort().join();
  await eventually(async () => (await left()) === 'busybox,kept', { what: 'the collector' });
  const until = String(Date.now() / 1000 + 0.1);
  const events = await docker('events', '--since', since, '--until', until, '--format', '{{json .}}');
  const told = events
    .split('\n')
    .map(
      (line) =>
        JSON.parse(line) as { Type: string; Action: string; Actor: { Attributes: Record<string, string> } },
    );
  const reasons = told
    .filter(({ Action }) => Action === 'delete')
    .map(({ Actor }) => Actor.Attributes['reason']);
  assert.deepEqual(
    reasons.sort(),
    ['unused image that the configuration gives free', 'untagged and unused image'].sort(),
  );
  assert.ok(told.some(({ Type, Action }) => Type === 'daemon' && Action === 'gc'));
  await docker('volume', 'create', 'vol');
  assert.match(await docker('volume', 'prune', '-af'), /Deleted Volumes:\nvol\n/);
  assert.equal((await daemon.get('/system/bin')).body.trim(), '[]');
});

test('a small disk takes more images than it can hold, as those without a tag make room', async () => {
  const gc = { 'low-space': '40MB', 'high-space': '60MB', 'min-age': '0', interval: '1h' };
  await using daemon = await startDaemon({ config: { gc } });
  await daemon.stop();
  await succeed('mount', ['-t', 'tmpfs', '-o', 'size=120m', 'small', daemon.dataRoot]);
  await daemon.start();
  const big = (n: number): SmallImage =>
    smallImage([[{ name: 'big', content: randomBytes(12 << 20) }], [{ name: `n${n}` }]]);
  await load(daemon, [{ image: big(0), tags: ['kept:1'] }]);
  for (let n = 1; n < 8; n += 1) await load(daemon, [{ image: big(n) }]);
  const left = JSON.parse((await daemon.get('/images/json')).body) as readonly {
    RepoTags: readonly string[];
  }[];
  assert.ok(
    left.some(({ RepoTags }) => RepoTags.includes('kept:1')) && left.length < 5,
    JSON.stringify(left),
  );
  assert.match(await daemon.log(), /removed to make room.*untagged and unused image/);
  await assertEqualToDu(daemon);
});

test('what has been in the bin for its time goes; bin-grace 0 is no bin', async () => {
  await using daemon = await startDaemon({ config: { 'bin-grace': '1s', gc: { interval: '1s' } } });
  await answerOf(daemon.docker, ['volume', 'create', 'vol']);
  await answerOf(daemon.docker, ['volume', 'prune', '-af']);
  await eventually(async () => (await daemon.get('/system/bin')).body.trim() === '[]');
  await eventually(async () => (await readdir(join(daemon.dataRoot, 'volumes'))).length === 0);
});
