import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  gzipped,
  imageOf,
  startRegistry,
  writeArchive,
  type Registry,
  type TestImage,
} from '../../setup/index.ts';
import { Engine } from '../docker-cli/engine.ts';
import { leavingNothing } from './support.ts';
import { tarFile, type TarMember } from './tar-file.ts';

/** Where the registry keeps a blob. */
const stored = (registry: Registry, digest: string): string => {
  const hex = digest.slice('sha256:'.length);
  return join(registry.storage, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
};

const victim = '/tmp/wharf-escaped';

/** Archives that try to write to, or to read, a file of the host. */
const escapes: readonly { readonly title: string; readonly members: readonly TarMember[] }[] = [
  { title: 'a file outside', members: [{ name: `../../../../../../../..${victim}`, content: 'x' }] },
  {
    title: 'a file through a link to the outside',
    members: [
      { name: 'out', kind: 'symlink', target: '../../../../../../../../tmp' },
      { name: `out/${victim.slice('/tmp/'.length)}`, content: 'x' },
    ],
  },
  {
    title: 'a file through an absolute link',
    members: [
      { name: 'out', kind: 'symlink', target: '/tmp' },
      { name: `out/${victim.slice('/tmp/'.length)}`, content: 'x' },
    ],
  },
  {
    title: 'a hard link to the outside',
    members: [{ name: 'shadow', kind: 'hardlink', target: '../../../../../../../../etc/shadow' }],
  },
  {
    title: 'an absolute hard link',
    members: [{ name: 'shadow', kind: 'hardlink', target: '/etc/shadow' }],
  },
];

describe('layers that are not what they should be', () => {
  let engine: Engine;
  let registry: Registry;
  let number = 0;
  before(async () => {
    [engine, registry] = await Promise.all([Engine.start(), startRegistry()]);
  });
  after(async () => {
    await registry.stop();
    await engine[Symbol.asyncDispose]();
  });

  /** An image with one layer of these members, and the digest of that layer as the registry has it. */
  async function image(members: readonly TarMember[]): Promise<{ image: TestImage; digest: string }> {
    const path = join(engine.folder, `layer${(number += 1)}.tar`);
    await writeFile(path, tarFile(members));
    return { image: await imageOf([path], { Cmd: ['x'] }), digest: (await gzipped(path)).digest };
  }

  const noise = (): readonly TarMember[] => [{ name: 'noise', content: randomBytes(300_000) }];

  /** The image is pulled in vain, and again when the registry has been mended, with success. */
  async function refusedUntilMended(
    made: { image: TestImage; digest: string },
    spoil: (path: string) => Promise<void>,
    text: RegExp,
  ): Promise<void> {
    const name = `${registry.address}/spoiled${number}:1`;
    await registry.publish(`spoiled${number}:1`, made.image);
    const path = stored(registry, made.digest);
    const good = await readFile(path);
    await spoil(path);
    await leavingNothing(engine, async () => {
      assert.match(await engine.fails(1, 'pull', name), text);
    });
    await writeFile(path, good);
    await engine.docker('pull', '-q', name);
    await engine.docker('rmi', name);
  }

  test('a layer whose digest lies is refused', async () => {
    const spoil = async (path: string): Promise<void> => {
      const data = await readFile(path);
      data[data.length >> 1] = (data[data.length >> 1] ?? 0) ^ 1;
      await writeFile(path, data);
    };
    const made = await image(noise());
    await refusedUntilMended(made, spoil, new RegExp(`(verif|digest).*${made.digest.slice(0, 19)}`));
  });

  test('a truncated layer is refused', async () => {
    await refusedUntilMended(await image(noise()), (path) => truncate(path, 100_000), /sha256:[0-9a-f]{12}/);
  });

  test('a layer that the registry has lost is refused', async () => {
    await refusedUntilMended(await image(noise()), (path) => rm(path), /blob unknown|not found|unknown blob/);
  });

  test('a layer that is not the one the configuration names is refused, pulled and loaded', async () => {
    const [one, other] = [await image(noise()), await image(noise())];
    const lying: TestImage = { config: one.image.config, layers: other.image.layers };
    await registry.publish('lying:1', lying);
    const archive = join(engine.folder, 'lying.tar');
    await writeArchive(archive, [{ image: lying, tags: ['lying:1'] }]);
    await leavingNothing(engine, async () => {
      assert.match(await engine.fails(1, 'pull', `${registry.address}/lying:1`), /diffID|layer|rootfs/i);
      assert.match(await engine.fails(1, 'load', '-i', archive), /diffID|layer|rootfs/i);
    });
  });

  for (const { title, members } of escapes) {
    test(`a layer with ${title} does not reach the host, pulled or loaded`, async () => {
      const made = await image(members);
      const name = `escape${number}:1`;
      await registry.publish(name, made.image);
      const archive = join(engine.folder, `escape${number}.tar`);
      await writeArchive(archive, [{ image: made.image, tags: [name] }]);
      const shadow = await readFile('/etc/shadow', 'utf8');
      for (const args of [
        ['pull', `${registry.address}/${name}`],
        ['load', '-i', archive],
      ]) {
        await leavingNothing(engine, async () => {
          const { code, stderr } = await engine.try(args);
          if (code === 0) await engine.docker('rmi', args[0] === 'pull' ? (args[1] ?? '') : name);
          else assert.match(stderr, /outside|invalid|breakout|no such file/i);
        });
      }
      assert.equal(existsSync(victim), false);
      assert.equal(await readFile('/etc/shadow', 'utf8'), shadow);
    });
  }

  test('an archive whose own members lead outside is refused', async () => {
    const archive = join(engine.folder, 'outer.tar');
    await writeFile(archive, tarFile([{ name: `../../../../..${victim}`, content: 'x' }]));
    await leavingNothing(engine, async () => {
      assert.match(await engine.fails(1, 'load', '-i', archive), /leads outside|invalid/);
    });
    const link: TarMember = { name: 'manifest.json', kind: 'symlink', target: '/etc/shadow' };
    await writeFile(archive, tarFile([link]));
    await leavingNothing(engine, async () => {
      const said = await engine.fails(1, 'load', '-i', archive);
      assert.equal(said.includes('root:'), false, said);
    });
    assert.equal(existsSync(victim), false);
  });

  test('an archive that is cut off is refused', async () => {
    const { image: whole } = await image(noise());
    const archive = join(engine.folder, 'cut.tar');
    await writeArchive(archive, [{ image: whole, tags: ['cut:1'] }]);
    await truncate(archive, 200_000);
    await leavingNothing(engine, async () => {
      assert.match(await engine.fails(1, 'load', '-i', archive), /archive|tar|end|EOF/i);
    });
  });
});
