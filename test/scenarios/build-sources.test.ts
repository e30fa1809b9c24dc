import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  answerOf,
  busyboxArchive,
  git,
  startDaemon,
  startSourceServer,
  startSshServer,
  succeed,
  type CommandResult,
  type Daemon,
  type SourceServer,
  fillFolder,
} from '../setup/index.ts';

let daemon: Daemon;
let folder: string;
let server: SourceServer;
let repository: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-test-sources-'));
  server = await startSourceServer('t0ken');
  daemon = await startDaemon();
  await answerOf(daemon.docker, ['load', '-i', await busyboxArchive()]);
  repository = join(folder, 'work');
  await mkdir(join(repository, 'sub'), { recursive: true });
  const dockerfile =
    'FROM busybox\nCOPY . /ctx\nRUN cd /ctx && find . -path ./.git -prune -o -print | sort\n';
  await writeTo(repository, {
    Dockerfile: dockerfile,
    'sub/Dockerfile': dockerfile,
    file: 'one',
    'sub/s': 's',
    '.dockerignore': 'file\n',
  });
  await git(repository, 'init', '-q', '-b', 'main');
  await commit('one');
  await git(repository, 'tag', '-a', 'v1', '-m', 'first');
  await git(repository, 'checkout', '-q', '-b', 'other');
  await writeTo(repository, { file: 'two' });
  await commit('two');
  await git(repository, 'checkout', '-q', 'main');
  await publish();
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function writeTo(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  await fillFolder(root, files);
}

async function commit(message: string): Promise<string> {
  await git(repository, 'add', '-A');
  await git(repository, 'commit', '-q', '-m', message);
  return git(repository, 'rev-parse', 'HEAD');
}

/** Makes what is in the working copy what the server has. */
async function publish(): Promise<void> {
  await rm(join(server.repositories, 'repo.git'), { recursive: true, force: true });
  await git(folder, 'clone', '-q', '--bare', repository, join(server.repositories, 'repo.git'));
}

async function buildx(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  return daemon.docker(['buildx', 'build', '--progress', 'plain', ...args], { env });
}

/** Builds lines after FROM busybox; answers all that was written. */
async function add(lines: readonly string[], ...flags: string[]): Promise<string> {
  const root = await mkdtemp(join(folder, 'add-'));
  await writeTo(root, { Dockerfile: ['FROM busybox', ...lines, ''].join('\n') });
  const { code, stderr } = await buildx([...flags, root]);
  assert.equal(code, 0, stderr);
  return stderr;
}

async function failingAdd(...lines: string[]): Promise<string> {
  const root = await mkdtemp(join(folder, 'add-'));
  await writeTo(root, { Dockerfile: ['FROM busybox', ...lines, ''].join('\n') });
  const { code, stderr } = await buildx([root]);
  assert.notEqual(code, 0);
  return stderr;
}

test('ADD of an address puts a file with its time, asks whether it is the same, and takes checksums', async () => {
  const content = 'from afar\n';
  server.files.set('/file.txt', { content, etag: '"1"', lastModified: '2020-02-03T04:05:06Z' });
  const lines = [
    `ADD ${server.url}/redirect/file.txt ${server.url}/file.txt /x/`,
    'RUN stat -c "%a %u:%g %Y %n" /x/*',
  ];
  assert.match(await add(lines), /600 0:0 1580702706 \/x\/file\.txt/);
  const before = server.requests.length;
  assert.match(await add(lines), /ADD [^\n]*\n(?:#\d+ \d[^\n]*\n)*#\d+ CACHED/);
  assert.deepEqual(
    new Set(server.requests.slice(before)),
    new Set(['GET /redirect/file.txt 302', 'GET /file.txt 304']),
  );
  server.files.set('/file.txt', { content: 'changed', etag: '"2"' });
  assert.match(await add([...lines, 'RUN cat /x/file.txt']), /changed/);
  const digest = createHash('sha256').update('changed').digest('hex');
  const asked = server.requests.length;
  await add([`ADD --checksum=sha256:${digest} --chmod=755 --chown=3:4 ${server.url}/file.txt /y`]);
  assert.deepEqual(server.requests.slice(asked), []);
  const wrong = '1'.repeat(64);
  assert.match(
    await failingAdd(`ADD --checksum=sha256:${wrong} ${server.url}/file.txt /y`),
    new RegExp(`digest mismatch sha256:${digest}: sha256:${wrong}`),
  );
  assert.match(
    await failingAdd(`ADD ${server.url}/missing /y`),
    /failed to load cache key: invalid response status 404/,
  );
  assert.match(
    await failingAdd('ADD http://127.0.0.1:1/x /y'),
    /dial tcp 127\.0\.0\.1:1: connect: connection refused/,
  );
});

test('ADD --unpack takes an archive from its address apart, and without it does not', async () => {
  await writeTo(join(folder, 'packed'), { 'd/f': 'inside' });
  await succeed('tar', ['-C', join(folder, 'packed'), '-czf', join(folder, 'packed.tgz'), 'd']);
  server.files.set('/packed.tgz', { content: await readFile(join(folder, 'packed.tgz')) });
  const told = await add([
    `ADD --unpack ${server.url}/packed.tgz /x/`,
    `ADD ${server.url}/packed.tgz /y/`,
    'RUN cat /x/d/f; ls /y',
  ]);
  assert.match(told, /insidepacked\.tgz/);
});

test('ADD of a repository takes refs, folders, commits, .git and submodules', async () => {
  const url = `${server.url}/repo.git`;
  const id = await git(repository, 'rev-parse', 'main');
  const told = await add([
    `ADD ${url} /a`,
    `ADD ${url}#other /b`,
    `ADD ${url}?ref=v1&subdir=sub /c`,
    `ADD --keep-git-dir --checksum=${id.slice(0, 10)} ${url}#main /d`,
    `ADD ${url}#${id}:sub /e`,
    'RUN cat /a/file /b/file; ls -A /a | xargs; ls /c /e | xargs; cat /d/.git/HEAD; stat -c "%a %n" /a/file',
  ]);
  assert.match(told, /onetwo/);
  assert.match(told, /\.dockerignore Dockerfile file sub/);
  assert.match(told, /\/c: Dockerfile s \/e: Dockerfile s/);
  assert.match(told, new RegExp(`\\d ${id}`));
  assert.match(told, /644 \/a\/file/);
  assert.match(await failingAdd(`ADD ${url}#nosuch /x`), /repository does not contain ref nosuch/);
  assert.match(
    await failingAdd(`ADD --checksum=abcdef ${url}#main /x`),
    new RegExp(`expected checksum to match abcdef, got ${id}`),
  );
  assert.match(await failingAdd(`ADD ${url}#:file /x`), /git subpath "\/file" contains non-directory "file"/);
  assert.match(
    await failingAdd(`ADD ${server.url}/none.git /x`),
    /error fetching default branch for repository/,
  );
});

const legacy = { DOCKER_BUILDKIT: '0' };

test('ADD of a repository brings its submodules, unless it is told not to', async () => {
  const root = await mkdtemp(join(folder, 'super-'));
  await writeTo(root, { '.gitmodules': '[submodule "mod"]\n\tpath = deep/mod\n\turl = ../repo.git\n' });
  await git(root, 'init', '-q', '-b', 'main');
  const id = await git(repository, 'rev-parse', 'main');
  await git(root, 'update-index', '--add', '--cacheinfo', `160000,${id},deep/mod`);
  await git(root, 'add', '.gitmodules');
  await git(root, 'commit', '-q', '-m', 'super');
  await git(folder, 'clone', '-q', '--bare', root, join(server.repositories, 'super.git'));
  const told = await add([
    `ADD ${server.url}/super.git /x`,
    `ADD ${server.url}/super.git?submodules=false /y`,
    'RUN ls -A /x/deep/mod | xargs; find /y -type f',
  ]);
  assert.match(told, /\d \.dockerignore Dockerfile file sub$/m);
  assert.match(told, /\d \/y\/\.gitmodules$/m);
});

test('a repository, a tar or a Dockerfile by its address is a context, with BuildKit and without', async () => {
  await succeed('tar', ['-C', repository, '--exclude=.git', '-czf', join(folder, 'context.tgz'), '.']);
  const archive = await readFile(join(folder, 'context.tgz'));
  server.files.set('/context.tgz', { content: archive });
  server.files.set('/Dockerfile', { content: 'FROM busybox\nRUN echo alone\n' });
  const whole = ['./.dockerignore', './Dockerfile', './file', './sub', './sub/Dockerfile', './sub/s'];
  const found = (told: string): readonly string[] => told.match(/(?<=^(?:#\d+ [\d.]+ )?)\.\/.*$/gm) ?? [];
  for (const env of [{}, legacy]) {
    const args = env === legacy ? ['build'] : ['buildx', 'build', '--progress', 'plain'];
    const told = async (...more: string[]): Promise<string> => {
      const { code, stdout, stderr } = await daemon.docker([...args, '--no-cache', ...more], { env });
      assert.equal(code, 0, stderr);
      return stdout + stderr;
    };
    const remote = env === legacy ? postedBuild : async (address: string) => told(address);
    assert.deepEqual(found(await remote(`${server.url}/repo.git`)), whole);
    assert.deepEqual(found(await remote(`${server.url}/repo.git#v1:sub`)), ['./Dockerfile', './s']);
    assert.deepEqual(found(await remote(`${server.url}/context.tgz`)), whole);
    assert.match(await remote(`${server.url}/Dockerfile`), /alone/);
  }
  const piped = await daemon.docker(['buildx', 'build', '--no-cache', '--progress', 'plain', '-'], {
    input: archive,
  });
  assert.deepEqual(found(piped.stderr), whole);
  const own = await daemon.docker(
    ['buildx', 'build', '--no-cache', '--progress', 'plain', '-f', '-', `${server.url}/repo.git`],
    { input: 'FROM busybox\nCOPY file /f\nRUN echo "it has $(cat /f)"\n' },
  );
  assert.match(own.stderr, /it has one/);
});

/** What the engine says of a build of an address; docker's own legacy client sends a tar in its place. */
async function postedBuild(address: string): Promise<string> {
  const query = `nocache=1&remote=${encodeURIComponent(address)}`;
  const answer = await succeed('curl', [
    '-s',
    '--unix-socket',
    daemon.socket,
    '-XPOST',
    `http://host/v1.47/build?${query}`,
  ]);
  return answer
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { stream = '', error = '' } = JSON.parse(line) as { stream?: string; error?: string };
      return stream + error;
    })
    .join('');
}

test('a repository that wants a token gets it from the client, and nobody else does', async () => {
  const url = `${server.url}/private/repo.git`;
  const refused = await buildx([url]);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /could not read Username/);
  const out = join(folder, 'private');
  const flags = [
    '--secret',
    'id=GIT_AUTH_TOKEN',
    '--provenance',
    'true',
    '--output',
    `type=local,dest=${out}`,
  ];
  const { code, stderr } = await buildx([...flags, url], { GIT_AUTH_TOKEN: 't0ken' });
  assert.equal(code, 0, stderr);
  const provenance = await readFile(join(out, 'provenance.json'), 'utf8');
  assert.match(provenance, new RegExp(await git(repository, 'rev-parse', 'main')));
  assert.doesNotMatch(stderr + provenance, /t0ken/);
});

test('a repository by SSH is opened with the keys of the client, and with no others', async () => {
  await using ssh = await startSshServer({ programs: {} });
  const url = `${ssh.host.replace('//', '//root@')}${server.repositories}/repo.git`;
  assert.match(await failingAdd(`ADD ${url} /x`), /unset ssh forward key default/);
  assert.match(await add([`ADD ${url} /x`, 'RUN ls /x'], '--ssh', `default=${ssh.key}`), / Dockerfile/);
  const { code, stderr } = await buildx(['--no-cache', '--ssh', `default=${ssh.key}`, `${url}#main:sub`]);
  assert.equal(code, 0, stderr);
});

test('every version of docker/dockerfile is built in, and other frontends are refused by name', async () => {
  assert.match(
    await add(['RUN echo read'], '--build-arg', 'BUILDKIT_SYNTAX=docker/dockerfile:1.7-labs'),
    /read/,
  );
  const root = await mkdtemp(join(folder, 'syntax-'));
  await writeTo(root, { Dockerfile: '# syntax=example.com/other:1\nFROM busybox\n' });
  const { code, stderr } = await buildx([root]);
  assert.notEqual(code, 0);
  assert.match(stderr, /the frontend example\.com\/other:1 is not supported/);
});

const bake = async (root: string, args: readonly string[] = []): Promise<CommandResult> =>
  daemon.docker(['buildx', 'bake', '--progress', 'plain', ...args], { cwd: root });

test('bake builds targets on others, with what their configurations say', async () => {
  const root = await mkdtemp(join(folder, 'bake-'));
  await writeTo(root, {
    'docker-bake.json': JSON.stringify({
      group: { default: { targets: ['app', 'copied'] } },
      target: {
        base: { context: 'base' },
        app: { context: 'app', contexts: { base: 'target:base' }, tags: ['linked'] },
        copied: {
          'dockerfile-inline': 'FROM busybox\nCOPY --from=base /made /here\nRUN cat /here/once\n',
          contexts: { base: 'target:base' },
          tags: ['copied'],
        },
      },
    }),
    'base/Dockerfile': `FROM busybox\nENV WHO=base\nWORKDIR /made\nRUN date +%s%N > once\nUSER 5\n`,
    'app/Dockerfile': 'FROM base\nRUN echo "$WHO $(id -u) $(pwd)"\n',
  });
  const { code, stderr } = await bake(root);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /base 5 \/made/);
  const once = await answerOf(daemon.docker, ['run', '--rm', 'linked', 'cat', '/made/once']);
  assert.equal(await answerOf(daemon.docker, ['run', '--rm', 'copied', 'cat', '/here/once']), once);
  const history = await answerOf(daemon.docker, [
    'history',
    '--format',
    '{{.CreatedAt}} {{.CreatedBy}}',
    'linked',
  ]);
  assert.deepEqual(
    history.split('\n').map((line) => line.replace(/^\S+ /, '').split(' ').slice(0, 1)[0]),
    ['RUN', 'USER', 'RUN', 'WORKDIR', 'ENV', 'layer'],
  );
  assert.doesNotMatch(history, /^0001/m);
});

test('bake reads definitions from a repository, and builds with it as the context', async () => {
  await writeTo(repository, {
    'docker-bake.json': JSON.stringify({ target: { default: { tags: ['remote'] } } }),
  });
  await commit('bake');
  await publish();
  const { code, stderr } = await bake(folder, [`${server.url}/repo.git`]);
  assert.equal(code, 0, stderr);
  assert.match(
    await answerOf(daemon.docker, ['run', '--rm', 'remote', 'ls', '/ctx']),
    /^docker-bake\.json$/m,
  );
});

test('a Dockerfile by its address goes with a context of the client', async () => {
  server.files.set('/other', { content: 'FROM busybox\nCOPY own /own\nRUN cat /own\n' });
  const root = await mkdtemp(join(folder, 'file-'));
  await writeTo(root, { own: 'of the client' });
  const { code, stderr } = await buildx(['-f', `${server.url}/other`, root]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /of the client/);
});

test("buildx's remote driver speaks to the engine's socket itself, with sessions inside the connection", async () => {
  const env = { BUILDX_CONFIG: join(folder, 'buildx') };
  const buildxWith = (...args: string[]): Promise<string> =>
    answerOf(daemon.docker, ['buildx', ...args], { env });
  await buildxWith('create', '--name', 'direct', '--driver', 'remote', daemon.host);
  assert.match(await buildxWith('inspect', 'direct'), /Status: +running/);
  const root = await mkdtemp(join(folder, 'direct-'));
  await writeTo(root, {
    Dockerfile: 'FROM busybox\nCOPY file /file\nRUN cat /file\n',
    file: 'by the session',
  });
  const out = join(folder, 'out');
  const { code, stderr } = await daemon.docker(
    [
      'buildx',
      'build',
      '--builder',
      'direct',
      '--progress',
      'plain',
      '--output',
      `type=local,dest=${out}`,
      root,
    ],
    { env },
  );
  assert.equal(code, 0, stderr);
  assert.match(stderr, /by the session/);
  assert.equal(await readFile(join(out, 'file'), 'utf8'), 'by the session');
});

test('an image in an OCI layout of the client is a named context', async () => {
  const layout = join(folder, 'layout');
  const root = await mkdtemp(join(folder, 'layout-'));
  await writeTo(root, {
    'base/Dockerfile': 'FROM busybox\nENV KIND=layout\nRUN echo made > /made\n',
    Dockerfile: 'FROM base\nRUN echo "$KIND $(cat /made)"\n',
    'copied/Dockerfile': 'FROM busybox\nCOPY --from=base /made /here\nRUN cat /here\n',
  });
  const made = await buildx(['--output', `type=oci,dest=${layout}.tar`, join(root, 'base')]);
  assert.equal(made.code, 0, made.stderr);
  await mkdir(layout);
  await succeed('tar', ['-C', layout, '-xf', `${layout}.tar`]);
  await answerOf(daemon.docker, ['buildx', 'prune', '--all', '--force']);
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as {
    manifests: { digest: string }[];
  };
  const context = ['--build-context', `base=oci-layout://${layout}@${index.manifests[0]?.digest ?? ''}`];
  const from = await buildx([...context, root]);
  assert.equal(from.code, 0, from.stderr);
  assert.match(from.stderr, /layout made/);
  const copied = await buildx([...context, join(root, 'copied')]);
  assert.equal(copied.code, 0, copied.stderr);
  assert.match(copied.stderr, /\d made/);
});
