import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  answerOf,
  busyboxArchive,
  client,
  dockerProgram,
  startDaemon,
  startRegistry,
  succeed,
  type Daemon,
  type Registry,
} from '../setup/index.ts';

let folder: string;
let context: string;
let daemon: Daemon;
let registry: Registry;

const dockerfile = `FROM --platform=$BUILDPLATFORM busybox AS made
ARG TARGETPLATFORM
RUN mkdir /made && echo $TARGETPLATFORM > /made/platform && chmod 4755 /made/platform && \
  ln -s platform /made/link && ln /made/platform /made/hard && date +%s%N > /made/.time && rm /made/.time
FROM scratch
COPY --from=made /made /made
COPY file /copied/
ENV A=b
`;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-test-outputs-'));
  context = join(folder, 'context');
  await mkdir(context);
  await writeFile(join(context, 'Dockerfile'), dockerfile);
  await writeFile(join(context, 'file'), 'copied\n');
  [daemon, registry] = await Promise.all([startDaemon(), startRegistry()]);
  await answerOf(daemon.docker, ['load', '-i', await busyboxArchive()]);
});
after(async () => {
  await registry[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Without what says when it was built: so that equal builds give equal digests. */
const plain = ['--provenance=false', '--progress', 'plain'];

async function build(on: Daemon, ...flags: string[]): Promise<string> {
  const { code, stdout, stderr } = await on.docker(['buildx', 'build', ...plain, ...flags, context]);
  assert.equal(code, 0, stderr);
  return stdout + stderr;
}

async function refused(...flags: string[]): Promise<string> {
  const { code, stderr } = await daemon.docker(['buildx', 'build', ...plain, ...flags, context]);
  assert.notEqual(code, 0);
  return stderr;
}

interface Metadata {
  readonly 'containerimage.digest': string;
  readonly 'containerimage.config.digest'?: string;
  readonly 'containerimage.descriptor': { readonly digest: string; readonly mediaType: string };
  readonly 'image.name'?: string;
}

async function metadataOf(on: Daemon, ...flags: string[]): Promise<Metadata> {
  const path = join(folder, 'metadata.json');
  await build(on, '--metadata-file', path, ...flags);
  return JSON.parse(await readFile(path, 'utf8')) as Metadata;
}

interface Document {
  readonly mediaType: string;
  readonly manifests?: readonly {
    readonly digest: string;
    readonly platform?: { readonly architecture: string };
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
  readonly layers?: readonly { readonly mediaType: string; readonly digest: string }[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What the registry has under `name:tag` or `name@digest`. */
const documentOf = async (reference: string): Promise<Document> =>
  JSON.parse(
    await succeed('skopeo', [
      'inspect',
      '--raw',
      '--tls-verify=false',
      `docker://${registry.address}/${reference}`,
    ]),
  ) as Document;

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

test('one build puts out files, a tar, archives and an image, each as its exporter does', async () => {
  const at = (name: string): string => join(folder, name);
  const metadata = await metadataOf(
    daemon,
    ...['-t', 'several:1', '-t', 'several:2'],
    ...['-o', `type=local,dest=${at('files')}`, '-o', `type=tar,dest=${at('files.tar')}`],
    ...['-o', `type=oci,dest=${at('oci.tar')}`, '-o', `type=docker,dest=${at('docker.tar')}`],
    ...['-o', 'type=image,compression=zstd'],
  );
  // Files.
  const platform = await stat(join(at('files'), 'made/platform'));
  assert.equal(platform.mode & 0o7777, 0o4755);
  assert.equal((await stat(join(at('files'), 'made/hard'))).ino, platform.ino);
  assert.deepEqual(await readdir(join(at('files'), 'made')), ['hard', 'link', 'platform']);
  assert.equal(await readFile(join(at('files'), 'made/link'), 'utf8'), 'linux/amd64\n');
  assert.equal(await readFile(join(at('files'), 'copied/file'), 'utf8'), 'copied\n');
  const tar = await succeed('tar', ['tf', at('files.tar')]);
  assert.deepEqual(lines(tar), [
    'copied/',
    'copied/file',
    'made/',
    'made/hard',
    'made/link',
    'made/platform',
  ]);
  // An image that is taken apart, in the client's own folder.
  await build(daemon, '-t', 'apart:1', '-o', `type=oci,tar=false,dest=${at('layout')}`);
  const apart = await succeed('skopeo', ['inspect', `oci:${at('layout')}:1`]);
  assert.equal((JSON.parse(apart) as { Layers: unknown[] }).Layers.length, 2);
  // The same image in every form.
  const id = await answerOf(daemon.docker, ['image', 'inspect', '-f', '{{.Id}}', 'several:2']);
  assert.equal(metadata['containerimage.config.digest'], id);
  assert.equal(metadata['image.name'], 'docker.io/library/several:1,docker.io/library/several:2');
  assert.equal(metadata['containerimage.descriptor'].digest, metadata['containerimage.digest']);
  assert.match(metadata['containerimage.descriptor'].mediaType, /oci.image.manifest/);
  for (const [transport, path] of [
    ['oci-archive', `${at('oci.tar')}:1`],
    ['docker-archive', `${at('docker.tar')}:several:1`],
  ]) {
    const config = await succeed('skopeo', ['inspect', '--config', '--raw', `${transport}:${path}`]);
    const inspected = await answerOf(daemon.docker, [
      'image',
      'inspect',
      '-f',
      '{{json .RootFS.Layers}}',
      id,
    ]);
    const { rootfs } = JSON.parse(config) as { rootfs: { diff_ids: string[] } };
    assert.deepEqual(rootfs.diff_ids, JSON.parse(inspected));
  }
  await answerOf(daemon.docker, ['rmi', 'several:1', 'several:2']);
  assert.match(await answerOf(daemon.docker, ['load', '-i', at('docker.tar')]), /several:1/);
  await build(daemon, '--load', '--iidfile', at('id'));
  assert.equal(await readFile(at('id'), 'utf8'), id);
});

test('images of several platforms are made, kept, pushed and pulled as one', async () => {
  const name = `${registry.address}/platforms`;
  const both = ['--platform', 'linux/amd64,linux/arm64'];
  const annotations = ['--annotation', 'index:of=all', '--annotation', 'manifest[linux/arm64]:of=one'];
  await build(daemon, ...both, ...annotations, '-t', `${name}:1`, '-o', 'type=image');
  await answerOf(daemon.docker, ['push', '-q', `${name}:1`]);
  const index = await documentOf('platforms:1');
  assert.deepEqual(
    index.manifests?.map((each) => each.platform?.architecture),
    ['amd64', 'arm64'],
  );
  assert.deepEqual(index.annotations, { of: 'all' });
  const manifests = await Promise.all(
    (index.manifests ?? []).map(({ digest }) => documentOf(`platforms@${digest}`)),
  );
  assert.deepEqual(
    manifests.map((manifest) => manifest.annotations),
    [undefined, { of: 'one' }],
  );
  for (const { layers } of manifests)
    for (const { mediaType } of layers ?? []) assert.match(mediaType, /gzip$/);
  // The build pushes the same by itself.
  await build(daemon, ...both, ...annotations, '-t', `${name}:2`, '-o', 'type=image,push=true');
  assert.deepEqual(await documentOf('platforms:2'), index);
  // Files of both.
  const files = join(folder, 'platforms');
  await build(daemon, ...both, '-o', files);
  assert.equal(await readFile(join(files, 'linux_arm64/made/platform'), 'utf8'), 'linux/arm64\n');
  assert.equal(await readFile(join(files, 'linux_amd64/made/platform'), 'utf8'), 'linux/amd64\n');
  // As a base, each platform's own, while the name goes on standing for this host's.
  await answerOf(daemon.docker, ['rmi', `${name}:1`, `${name}:2`]);
  await writeFile(join(folder, 'base'), `FROM ${name}:1\nCOPY file /more\n`);
  await build(
    daemon,
    ...both,
    '-f',
    join(folder, 'base'),
    '-t',
    'based',
    '-o',
    `type=oci,dest=${folder}/based.tar`,
  );
  await build(daemon, ...both, '-f', join(folder, 'base'), '-o', join(folder, 'based'));
  assert.equal(await readFile(join(folder, 'based/linux_arm64/made/platform'), 'utf8'), 'linux/arm64\n');
  assert.equal(
    await answerOf(daemon.docker, ['image', 'inspect', '-f', '{{.Architecture}}', `${name}:1`]),
    'amd64',
  );
  // What cannot be run says what helps.
  await writeFile(join(folder, 'foreign'), `FROM --platform=linux/arm64 ${name}:1\nRUN ["/none"]\n`);
  assert.match(
    await refused('-f', join(folder, 'foreign')),
    /cannot run a command for linux\/arm64 on this host.*qemu-user-static/,
  );
});

test('two cold builds on two data roots give one digest, and what is pulled is what was built', async () => {
  await using other = await startDaemon();
  await answerOf(other.docker, ['load', '-i', await busyboxArchive()]);
  const flags = ['--build-arg', 'SOURCE_DATE_EPOCH=1700000000', '--no-cache'];
  const name = `${registry.address}/same:1`;
  const first = await metadataOf(daemon, ...flags, '-t', name, '--push');
  const second = await metadataOf(other, ...flags, '-t', name, '-o', 'type=image,push=true,store=false');
  assert.equal(first['containerimage.digest'], second['containerimage.digest']);
  const { created, history } = JSON.parse(
    await succeed('skopeo', ['inspect', '--config', '--raw', '--tls-verify=false', `docker://${name}`]),
  ) as { created: string; history: { created: string }[] };
  assert.deepEqual(
    [created, ...history.map((entry) => entry.created)],
    Array<string>(history.length + 1).fill('2023-11-14T22:13:20Z'),
  );
  // The second data root has it from the registry alone.
  await answerOf(other.docker, ['pull', '-q', name]);
  const treeOf = async (on: Daemon): Promise<string> => {
    const id = await answerOf(on.docker, ['create', name, 'none']);
    try {
      return await succeed(
        'sh',
        [
          '-c',
          `"$0" export ${id} | tar tv --full-time --numeric-owner -f - | grep -v ' \\(dev\\|etc\\|proc\\|sys\\|\\.dockerenv\\)'`,
          dockerProgram(),
        ],
        { env: on.env },
      );
    } finally {
      await answerOf(on.docker, ['rm', id]);
    }
  };
  const tree = await treeOf(daemon);
  assert.match(tree, /made\/platform/);
  assert.equal(await treeOf(other), tree);
  // No file of this build is later than the time that was given; files' own times stay where that is asked for.
  assert.doesNotMatch(tree, /20(?:2[4-9]|[3-9]\d)-/);
  const own = await metadataOf(
    daemon,
    ...flags.slice(0, 2),
    '-t',
    name,
    '-o',
    'type=image,rewrite-timestamp=false',
  );
  assert.notEqual(own['containerimage.digest'], first['containerimage.digest']);
});

test('a build pushes with the credentials of its client, and the legacy client pulls with its own', async () => {
  await using guarded = await startRegistry({ login: { user: 'me', password: 'secret' } });
  const name = `${guarded.address}/guarded:1`;
  const stranger = await refused('-t', name, '--push');
  assert.match(
    stranger,
    /failed to push 127\.0\.0\.1:\d+\/guarded:1: .*(?:denied|unauthorized|no basic auth)/i,
  );
  const settings = join(folder, 'client');
  await mkdir(settings);
  const auth = Buffer.from('me:secret').toString('base64');
  await writeFile(join(settings, 'config.json'), JSON.stringify({ auths: { [guarded.address]: { auth } } }));
  const env = { ...daemon.env, DOCKER_CONFIG: settings };
  await symlink(join(daemon.env['DOCKER_CONFIG'] ?? '', 'cli-plugins'), join(settings, 'cli-plugins'));
  const docker = client(dockerProgram(), env);
  const pushed = await docker(['buildx', 'build', ...plain, '-t', name, '--push', context]);
  assert.equal(pushed.code, 0, pushed.stderr);
  await answerOf(daemon.docker, ['rmi', name]);
  await mkdir(join(folder, 'legacy'));
  await writeFile(join(folder, 'legacy/Dockerfile'), `FROM ${name}\nENV C=d\nENV E=f\n`);
  const legacy = { env: { DOCKER_BUILDKIT: '0' } };
  assert.notEqual((await daemon.docker(['build', join(folder, 'legacy')], legacy)).code, 0);
  const built = await docker(['build', '-t', 'legacy', join(folder, 'legacy')], legacy);
  assert.equal(built.code, 0, built.stderr);
});

test('the legacy builder makes one layer of what it adds to the base, where it is asked to', async () => {
  const root = join(folder, 'squashed');
  await mkdir(root);
  await writeFile(
    join(root, 'Dockerfile'),
    'FROM busybox\nRUN echo secret > /secret && mkdir /kept\nRUN rm /secret /bin/sh && echo x > /kept/file\nENV A=b\n',
  );
  const context = join(folder, 'squashed.tar');
  await succeed('tar', ['cf', context, '-C', root, '.']);
  const url = 'http://engine/build?squash=1&t=squashed';
  const said = await succeed('curl', [
    ...['-sS', '--unix-socket', daemon.socket, '-H', 'Content-Type: application/x-tar'],
    ...['-X', 'POST', '--data-binary', `@${context}`, url],
  ]);
  assert.match(said, /Successfully tagged squashed:latest/);
  const layersOf = async (name: string): Promise<unknown[]> =>
    JSON.parse(
      await answerOf(daemon.docker, ['image', 'inspect', '-f', '{{json .RootFS.Layers}}', name]),
    ) as unknown[];
  const [base, made] = [await layersOf('busybox'), await layersOf('squashed')];
  assert.deepEqual(made.slice(0, -1), base);
  const archive = join(folder, 'squashed-image.tar');
  await answerOf(daemon.docker, ['save', '-o', archive, 'squashed']);
  const contents = await succeed('sh', [
    '-c',
    `tar xOf ${archive} --wildcards 'blobs/sha256/${String(made.at(-1)).slice('sha256:'.length)}' | tar t`,
  ]);
  // Folders in which things are mounted while a command runs may come along.
  assert.deepEqual(
    lines(contents).filter((name) => !['bin/', 'proc/', 'sys/'].includes(name)),
    ['bin/.wh.sh', 'kept/', 'kept/file'],
  );
  const history = await answerOf(daemon.docker, [
    'history',
    '--no-trunc',
    '--format',
    '{{.Comment}}',
    'squashed',
  ]);
  assert.match(history, /^merge sha256:/);
});

test('outputs that cannot be made are refused in words that say why', async () => {
  const zstd = await refused('-t', 'x', '-o', 'type=image,compression=zstd,oci-mediatypes=false');
  assert.match(zstd, /exporter option "compression=zstd" conflicts with "oci-mediatypes=false"/);
  assert.match(await refused('-o', 'type=nothing'), /exporter "nothing" could not be found/);
  assert.match(
    await refused('-t', 'x', '-o', 'type=image,compression=estargz'),
    /unsupported compression type estargz/,
  );
  assert.match(
    await refused('-t', 'x', '-o', 'type=image', '--annotation', 'index:a=b'),
    /index annotations not supported for single platform export/,
  );
  const time = await refused('--build-arg', 'SOURCE_DATE_EPOCH=today', '-t', 'x');
  assert.match(time, /invalid source-date-epoch: strconv.ParseInt: parsing "today": invalid syntax/);
});
