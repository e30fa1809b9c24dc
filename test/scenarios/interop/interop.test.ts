/** Other people's clients copy images to, from and through Wharf; digests stay what they are at every hop. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  answerOf,
  client,
  debianPackages,
  dockerProgram,
  startDaemon,
  startRegistry,
  succeed,
  type Client,
  type Daemon,
  type Registry,
} from '../../setup/index.ts';
import { referrer, samples, type Sample } from './images.ts';
import { OwnRegistry } from './registry.ts';

const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false'];

describe('other clients', () => {
  let registry: OwnRegistry;
  let debian: Registry;
  let daemon: Daemon;
  let folder: string;
  const all = samples();
  const lists = all.filter(({ target }) => /index|list/.test(target.mediaType));
  const one = (name: string): Sample => {
    const found = all.find((sample) => sample.name === name);
    if (!found) throw new Error(`no sample ${name}`);
    return found;
  };
  const at = (name: string): string => `${registry.address}/${name}`;
  const skopeo = (...args: string[]): Promise<string> => succeed('skopeo', args);
  const copy = (from: string, to: string): Promise<string> =>
    skopeo('copy', '--quiet', '--all', '--preserve-digests', ...insecure, from, to);
  const id = (name: string): Promise<string> =>
    answerOf(daemon.docker, ['image', 'inspect', '-f', '{{.Id}}', name]);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wharf-interop-'));
    [registry, debian, daemon] = await Promise.all([OwnRegistry.start(), startRegistry(), startDaemon()]);
    for (const sample of all) await registry.push(`given/${sample.name}`, '1', sample);
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await debian[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('skopeo copies every kind within our registry, by folders and layouts, and by another registry', async () => {
    for (const { name, target } of all) {
      const from = `docker://${at(`given/${name}:1`)}`;
      await copy(from, `docker://${at(`skopeo/${name}:1`)}`);
      assert.equal(await registry.digest(`skopeo/${name}:1`), target.digest, name);
      await copy(from, `dir:${folder}/${name}`);
      await copy(`dir:${folder}/${name}`, `docker://${at(`by-folder/${name}:1`)}`);
      assert.equal(await registry.digest(`by-folder/${name}:1`), target.digest, name);
      await copy(from, `docker://${debian.address}/${name}:1`);
      await copy(`docker://${debian.address}/${name}:1`, `docker://${at(`by-debian/${name}:1`)}`);
      assert.equal(await registry.digest(`by-debian/${name}:1`), target.digest, name);
      if (!target.mediaType.includes('oci')) continue;
      await copy(from, `oci:${folder}/layout-${name}:1`);
      await copy(`oci:${folder}/layout-${name}:1`, `docker://${at(`by-layout/${name}:1`)}`);
      assert.equal(await registry.digest(`by-layout/${name}:1`), target.digest, name);
    }
    const { Digest, RepoTags } = JSON.parse(
      await skopeo('inspect', '--tls-verify=false', `docker://${at('skopeo/oci-gzip:1')}`),
    ) as { Digest: string; RepoTags: string[] };
    assert.deepEqual([Digest, RepoTags], [one('oci-gzip').target.digest, ['1']]);
  });

  test("skopeo reads and writes our engine's images", async () => {
    const engine = [`--src-daemon-host=${daemon.host}`];
    // It makes a docker-archive on the way, which knows no zstd.
    for (const { name, id: wanted } of all.filter((sample) => sample.name !== 'oci-zstd')) {
      const loaded = ['--quiet', '--src-tls-verify=false', `--dest-daemon-host=${daemon.host}`];
      await skopeo('copy', ...loaded, `docker://${at(`given/${name}:1`)}`, `docker-daemon:skopeo/${name}:1`);
      assert.equal(await id(`skopeo/${name}:1`), wanted, name);
      const back = ['--quiet', '--dest-tls-verify=false', ...engine];
      await skopeo('copy', ...back, `docker-daemon:skopeo/${name}:1`, `docker://${at(`engine/${name}:1`)}`);
      const config = await skopeo(
        'inspect',
        '--config',
        '--raw',
        '--tls-verify=false',
        `docker://${at(`engine/${name}:1`)}`,
      );
      assert.equal(
        `sha256:${(await succeed('sha256sum', [], { input: config })).slice(0, 64)}`,
        wanted,
        name,
      );
      await answerOf(daemon.docker, ['rmi', `skopeo/${name}:1`]);
    }
  });

  const dockers: readonly (readonly [string, () => Promise<string>])[] = [
    ['28.5', () => Promise.resolve(dockerProgram())],
    [
      '26.1',
      async () =>
        join(
          await debianPackages('docker-cli-26.1', 'trixie', ['docker-cli'], ['usr/share']),
          'usr/bin/docker',
        ),
    ],
    [
      '20.10',
      async () => {
        const drop = ['usr/sbin', 'usr/lib', 'usr/libexec', 'usr/share', 'etc', 'lib', 'var'];
        return join(
          await debianPackages('docker-cli-20.10', 'bookworm', ['docker.io'], drop),
          'usr/bin/docker',
        );
      },
    ],
  ];
  for (const [version, program] of dockers) {
    test(`docker ${version} pulls every kind through our engine and pushes it elsewhere`, async () => {
      const docker: Client = client(await program(), daemon.env);
      const run = (...args: string[]): Promise<string> => answerOf(docker, args);
      for (const { name, target, id: wanted } of all) {
        const [from, to] = [at(`given/${name}:1`), at(`docker-${version}/${name}:1`)];
        assert.match(await run('pull', from), new RegExp(`Digest: ${target.digest}`));
        assert.equal(await run('image', 'inspect', '-f', '{{.Id}}', from), wanted, name);
        await run('tag', from, to);
        assert.match(await run('push', to), new RegExp(`1: digest: ${target.digest} `), name);
        assert.equal(await registry.digest(`docker-${version}/${name}:1`), target.digest, name);
        for (const digest of target.mediaType.includes('manifest.v') ? [] : one(name).blobs.blobs.keys()) {
          const isThere =
            (await registry.hasBlob(`docker-${version}/${name}`, digest)) ||
            (await registry.digest(`docker-${version}/${name}@${digest}`)) === digest;
          assert.ok(isThere, `${name} ${digest}`);
        }
        await run('rmi', '-f', from, to);
      }
    });
  }

  test('buildx imagetools inspects, copies and joins indexes in our registry', async () => {
    const docker: Client = client(dockerProgram(), daemon.env);
    const tools = (...args: string[]): Promise<string> => answerOf(docker, ['buildx', 'imagetools', ...args]);
    for (const { name, target, blobs } of lists) {
      const from = at(`given/${name}:1`);
      const raw = await tools('inspect', '--raw', from);
      assert.equal(raw.trim(), Buffer.from(blobs.blobs.get(target.digest) ?? []).toString(), name);
      await tools('create', '-t', at(`buildx/${name}:1`), from);
      assert.equal(await registry.digest(`buildx/${name}:1`), target.digest, name);
    }
    const parts = ['oci-gzip', 'oci-zstd'].map((name) => at(`given/${name}:1`));
    await tools('create', '-t', at('buildx/joined:1'), ...parts);
    const joined = JSON.parse(await tools('inspect', '--raw', at('buildx/joined:1'))) as {
      manifests: readonly { digest: string }[];
    };
    const wanted = ['oci-gzip', 'oci-zstd'].map((name) => one(name).target.digest);
    assert.deepEqual(
      joined.manifests.map(({ digest }) => digest),
      wanted,
    );
  });

  test('umoci unpacks and changes what came from our registry, and we run what it made', async () => {
    const layout = join(folder, 'umoci');
    await copy(`docker://${at('given/oci-gzip:1')}`, `oci:${layout}:1`);
    await succeed('umoci', ['unpack', '--rootless', '--image', `${layout}:1`, join(folder, 'bundle')]);
    assert.equal(await succeed('cat', [join(folder, 'bundle/rootfs/own')]), 'amd64');
    await succeed('umoci', [
      'config',
      '--image',
      `${layout}:1`,
      '--tag',
      '2',
      '--config.label',
      'made.by=umoci',
    ]);
    for (const tag of ['1', '2']) await copy(`oci:${layout}:${tag}`, `docker://${at(`umoci:${tag}`)}`);
    assert.equal(await registry.digest('umoci:1'), one('oci-gzip').target.digest);
    const pulled = await answerOf(daemon.docker, ['pull', '-q', at('umoci:2')]);
    const digests = await answerOf(daemon.docker, [
      'image',
      'inspect',
      '-f',
      '{{json .RepoDigests}}',
      pulled,
    ]);
    assert.deepEqual(JSON.parse(digests), [`${at('umoci')}@${await registry.digest('umoci:2')}`]);
  });

  test('podman pulls and pushes images and manifest lists', async () => {
    const storage = [
      '--root',
      join(folder, 'podman'),
      '--runroot',
      join(folder, 'podman-run'),
      '--storage-driver',
      'vfs',
    ];
    const podman = (...args: string[]): Promise<string> => succeed('podman', [...storage, ...args]);
    for (const { name, id: wanted, target } of all) {
      const from = at(`given/${name}:1`);
      await podman('pull', '--quiet', '--tls-verify=false', from);
      assert.equal(await podman('image', 'inspect', '-f', 'sha256:{{.Id}}', from), wanted, name);
      const digests = await podman('image', 'inspect', '-f', '{{.RepoDigests}}', from);
      assert.ok(digests.includes(target.digest), `${name}: ${digests}`);
      await podman('push', '--quiet', '--tls-verify=false', from, at(`podman/${name}:1`));
      await answerOf(daemon.docker, ['pull', at(`podman/${name}:1`)]);
      assert.equal(await id(at(`podman/${name}:1`)), wanted, name);
    }
    const list = one('docker-list');
    await podman('manifest', 'create', 'joined');
    await podman(
      'manifest',
      'add',
      '--all',
      '--tls-verify=false',
      'joined',
      `docker://${at(`given/${list.name}:1`)}`,
    );
    await podman(
      'manifest',
      'push',
      '--all',
      '--tls-verify=false',
      'joined',
      `docker://${at('podman/joined:1')}`,
    );
    await answerOf(daemon.docker, ['pull', at('podman/joined:1')]);
    assert.equal(await id(at('podman/joined:1')), list.id);
    await podman('pull', '--quiet', '--tls-verify=false', at('podman/joined:1'));
  });

  test('referrers go along where they are asked for, and are found', async () => {
    const { target } = one('oci-index');
    const signature = referrer(target);
    await registry.push('given/oci-index', signature.target.digest, signature);
    const found = (await registry.json(`given/oci-index/referrers/${target.digest}`)) as {
      manifests: readonly { digest: string; artifactType: string }[];
    };
    assert.deepEqual(
      found.manifests.map(({ digest, artifactType }) => [digest, artifactType]),
      [[signature.target.digest, 'application/vnd.example.signature']],
    );
    const reference = `docker://${at(`given/oci-index@${signature.target.digest}`)}`;
    const raw = await skopeo('inspect', '--raw', '--tls-verify=false', reference);
    assert.equal(raw, Buffer.from(signature.blobs.blobs.get(signature.target.digest) ?? []).toString());
    const pulled = await daemon.docker(['pull', at(`given/oci-index@${signature.target.digest}`)]);
    assert.equal(pulled.code, 1);
    assert.match(pulled.stderr, /unsupported media type application\/vnd\.oci\.empty\.v1\+json/);
  });
});
