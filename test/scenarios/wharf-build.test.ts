import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  answerOf,
  busyboxArchive,
  command,
  eventually,
  startDaemon,
  startSourceServer,
  succeed,
  wharfProgram,
  type CommandResult,
  type Daemon,
  fillFolder,
} from '../setup/index.ts';

describe('wharf build', () => {
  let daemon: Daemon;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wharf-test-build-'));
    daemon = await startDaemon();
    await answerOf(daemon.docker, ['load', '-i', await busyboxArchive()]);
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  async function context(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const root = join(folder, name);
    await fillFolder(root, files);
    return root;
  }

  const build = (...words: readonly string[]): Promise<CommandResult> =>
    daemon.wharf(['build', '--progress', 'plain', ...words]);

  async function built(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await build(...words);
    assert.equal(code, 0, stderr);
    return stdout + stderr;
  }

  it('takes an image apart into a folder, and builds on what is in one', async () => {
    const layout = join(folder, 'layout');
    const root = await context('apart', {
      'base/Dockerfile': 'FROM busybox\nARG KIND\nENV KIND=$KIND\nRUN echo made of $KIND > /made\n',
      Dockerfile: 'FROM base\nRUN echo "$KIND, $(cat /made)"\n',
    });
    const apart = (kind: string, ...flags: readonly string[]): Promise<string> =>
      built('--build-arg', `KIND=${kind}`, ...flags, join(root, 'base'));
    await apart('none', '-o', `type=oci,tar=false,dest=${layout}`);
    await apart('one', '-t', 'example.com/a/b:1', '-o', `type=oci,tar=false,dest=${layout}`);
    await apart('two', '-t', 'example.com/a/b:2', '-o', `type=docker,tar=false,dest=${layout}`);
    await answerOf(daemon.docker, ['buildx', 'prune', '--all', '--force']);
    const from = (reference: string): Promise<string> =>
      built('--no-cache', '-o', 'type=cacheonly', '--build-context', `base=oci-layout://${reference}`, root);
    assert.match(await from(layout), /none, made of none/);
    assert.match(await from(`${layout}:1`), /one, made of one/);
    assert.match(await from(`${layout}:2`), /two, made of two/);
    const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as {
      readonly manifests: readonly { readonly digest: string }[];
    };
    assert.equal(index.manifests.length, 3);
    assert.match(await from(`${layout}@${index.manifests[1]?.digest ?? ''}`), /one, made of one/);
    const missing = await build('--build-context', `base=oci-layout://${layout}:3`, root);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /oci-layout reference ".*:3" could not be resolved/);
    const twice = ['-o', `type=oci,tar=false,dest=${layout}`, '-o', `type=docker,tar=false,dest=${layout}`];
    assert.match((await build(...twice, root)).stderr, /only one output can take an image apart/);
  });

  it('takes a Dockerfile from an address', async () => {
    await using server = await startSourceServer();
    server.files.set('/Dockerfile', { content: 'FROM busybox\nCOPY f /\nRUN echo fetched $(cat /f)\n' });
    const root = await context('addressed', { f: 'for this context' });
    assert.match(
      await built('-o', 'type=cacheonly', '-f', `${server.url}/Dockerfile`, root),
      /fetched for this context/,
    );
    const { code, stderr } = await build('-f', `${server.url}/missing`, root);
    assert.equal(code, 1);
    assert.match(stderr, /failed to fetch http.*\/missing: 404/);
  });

  it('builds, names, and says what the image is', async () => {
    const root = await context('plain', {
      Dockerfile: 'FROM busybox\nARG WHO\nCOPY f /f\nRUN echo for $WHO; cat /f >/g\nLABEL a=b\n',
      f: 'text',
    });
    const ids = [join(folder, 'id'), join(folder, 'metadata')] as const;
    const files = ['--iidfile', ids[0], '--metadata-file', ids[1]];
    const text = await built('-t', 'plain:x', '--build-arg', 'WHO=me', '--label', 'c=d', ...files, root);
    assert.match(
      text,
      /#1 \[internal\] load build definition from Dockerfile\n#1 transferring dockerfile: \d+B/,
    );
    assert.match(text, /#\d+ \[3\/3\] RUN echo for [^\n]*\n#\d+ \d\.\d{3} for me\n#\d+ DONE \d+\.\ds\n/);
    const [id, labels] = (
      await answerOf(daemon.docker, ['image', 'inspect', '-f', '{{.Id}} {{json .Config.Labels}}', 'plain:x'])
    ).split(' ');
    assert.equal(await readFile(ids[0], 'utf8'), id);
    assert.deepEqual(JSON.parse(labels ?? ''), { a: 'b', c: 'd' });
    const metadata = JSON.parse(await readFile(ids[1], 'utf8')) as Record<string, string>;
    assert.equal(metadata['containerimage.config.digest'], id);
    assert.match(metadata['buildx.build.ref'] ?? '', /^default\/default\/[a-z0-9]{25}$/);
    // Again: everything is known, by every other name of the command too.
    for (const words of [
      ['image', 'build'],
      ['builder', 'build'],
      ['buildx', 'build'],
      ['buildx', 'b'],
    ]) {
      const again = await daemon.wharf([...words, '-q', '--build-arg', 'WHO=me', '--label', 'c=d', root]);
      assert.equal(again.stdout.trim(), id, again.stderr);
      assert.equal(again.stderr, '');
    }
  });

  it('ends with the reason, the place and the last lines where a command fails', async () => {
    const root = await context('failing', { Dockerfile: 'FROM busybox\nRUN echo seen; exit 9\n' });
    const { code, stderr } = await build(root);
    assert.equal(code, 1);
    const reason = 'process "/bin/sh -c echo seen; exit 9" did not complete successfully: exit code: 9';
    assert.match(stderr, /------\n > \[2\/2\] RUN echo seen; exit 9:\n\d\.\d{3} seen\n------\n/);
    assert.ok(stderr.includes('   2 | >>> RUN echo seen; exit 9\n'), stderr);
    assert.ok(stderr.endsWith(`ERROR: failed to build: failed to solve: ${reason}\n`), stderr);
    const missing = await build(join(folder, 'none'));
    assert.equal(missing.code, 1);
    assert.match(
      missing.stderr,
      /ERROR: failed to build: unable to prepare context: path ".*none" not found\n$/,
    );
    const other = await build('--builder', 'other', root);
    assert.deepEqual([other.code, other.stderr], [1, 'ERROR: no builder "other" found\n']);
  });

  it('opens a shell in what a failed command has left, and leaves nothing of it', async () => {
    const dockerfile = 'FROM busybox\nENV A=b\nWORKDIR /work\nUSER 7:8\nRUN echo half >/tmp/f; exit 3\n';
    const root = await context('debugged', { Dockerfile: dockerfile });
    const typed = 'id -u; pwd; cat /tmp/f; echo $A; exit 5';
    const script = `echo '${typed}' | ${wharfProgram()} build --progress plain --debug ${root}`;
    const { code, stdout, stderr } = await command('sh', ['-c', script], { env: daemon.env });
    assert.equal(code, 1, stderr);
    assert.equal(stdout, '7\n/work\nhalf\nb\n');
    assert.match(stderr, /exit code: 3\nA shell in the file system of the failed step/);
    assert.equal(await answerOf(daemon.docker, ['images', '-aqf', 'dangling=true']), '');
    assert.equal(await answerOf(daemon.docker, ['ps', '-aq']), '');
  });

  it('checks a Dockerfile, and lists its targets', async () => {
    const dockerfile = 'FROM busybox AS one\nMAINTAINER me\nFROM one AS two\n';
    const root = await context('asked', { Dockerfile: dockerfile });
    const checked = await build('--check', root);
    assert.equal(checked.code, 1);
    assert.match(
      checked.stdout,
      /^Check complete, 1 warning has been found!\n\nWARNING: MaintainerDeprecated - /,
    );
    const targets = await build('--call', 'targets', root);
    assert.match(targets.stdout, /^TARGET +DESCRIPTION\none\s+two \(default\)/);
    const warned = await build(root);
    assert.match(
      warned.stderr,
      /\n 1 warning found \(use wharf --debug to expand\):\n - MaintainerDeprecated: /,
    );
    const raw = await daemon.wharf(['build', '--progress', 'rawjson', root]);
    const lines = raw.stderr.trim().split('\n');
    const names = lines.flatMap((line) => {
      const { vertexes = [] } = JSON.parse(line) as { vertexes?: { name: string }[] };
      return vertexes.map(({ name }) => name);
    });
    assert.ok(names.includes('[internal] load .dockerignore'), raw.stderr);
  });

  it('serves secrets, keys, other contexts, and what .dockerignore leaves', async () => {
    const root = await context('served', {
      Dockerfile: `FROM busybox AS made
COPY . /all
RUN --mount=type=secret,id=token --mount=type=secret,id=NAME,env=N cat /run/secrets/token >/all/s; echo $N >>/all/s
RUN --mount=type=ssh,required test -S "$SSH_AUTH_SOCK"
FROM scratch
COPY --from=made /all /
COPY --from=other f /other
COPY --from=busybox /bin/busybox /b
`,
      '.dockerignore': '*\n!kept\n!link\n',
      'kept/file': 'kept',
      'left/file': 'left',
    });
    const other = await context('other', { f: 'of another folder' });
    await writeFile(join(folder, 'token'), 'hidden\n');
    const key = join(folder, 'key');
    await succeed('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const out = join(folder, 'out');
    const { code, stderr } = await daemon.wharf(
      [
        ...['build', '--progress', 'plain', '--secret', `id=token,src=${join(folder, 'token')}`],
        ...['--secret', 'id=NAME', '--ssh', `default=${key}`, '--build-context', `other=${other}`],
        ...['-o', out, root],
      ],
      { env: { NAME: 'of the environment' } },
    );
    assert.equal(code, 0, stderr);
    assert.equal(await readFile(join(out, 's'), 'utf8'), 'hidden\nof the environment\n');
    assert.equal(await readFile(join(out, 'kept/file'), 'utf8'), 'kept');
    assert.equal(await readFile(join(out, 'other'), 'utf8'), 'of another folder');
    assert.ok((await stat(join(out, 'b'))).size > 100_000);
    await assert.rejects(stat(join(out, 'left')));
  });

  it('says why it did something again, and offers the .gitignore of a checkout', async () => {
    const root = await context('explained', {
      Dockerfile: 'FROM busybox\nCOPY package.json /\nRUN cat /package.json\nCOPY . /all\n',
      'package.json': '{"version":1}',
      '.gitignore': 'made/\n',
      'made/large': 'x'.repeat(5000),
    });
    await succeed('git', ['-C', root, 'init', '-q']);
    const first = await built('--explain', root);
    assert.match(
      first,
      /There is no \.dockerignore: the build looks at \d+ files \([\d.]+kB\) of this git checkout/,
    );
    await writeFile(join(root, 'package.json'), '{"version":2}');
    const second = await built('--explain', '--use-gitignore', '-t', 'explained', root);
    assert.match(
      second,
      / => COPY package.json \/\n {4}content changed \(line 1: \{"version":2\}\)\n => RUN cat/,
    );
    assert.doesNotMatch(second, /There is no \.dockerignore/);
    const found = ['find', '/all', '-name', 'large', '-o', '-name', '.git'];
    assert.equal(await answerOf(daemon.docker, ['run', '--rm', 'explained', ...found]), '');
    assert.match(await built('--explain', '--use-gitignore', root), /Nothing was done again/);
  });

  it('takes a Dockerfile or a tar from standard input, and writes a tar to standard output', async () => {
    const root = await context('piped', { Dockerfile: 'FROM scratch\nCOPY f /g\n', f: 'x' });
    const words = `${wharfProgram()} build -q`;
    const run = (script: string): Promise<string> => succeed('sh', ['-c', script], { env: daemon.env });
    assert.equal((await run(`tar -C ${root} -cz . | ${words} -o - - | tar -t`)).trim(), 'g');
    assert.equal((await run(`${words} -f - -o - ${root} <${root}/Dockerfile | tar -t`)).trim(), 'g');
    assert.match(await run(`echo FROM busybox | ${words} -`), /^sha256:/);
  });

  it('ends the build within a second when it is interrupted', async () => {
    const root = await context('interrupted', { Dockerfile: 'FROM busybox\nRUN echo begun; sleep 60\n' });
    const child = spawn(wharfProgram(), ['build', '--progress', 'plain', root], {
      env: { ...process.env, ...daemon.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => void child.once('exit', resolve));
    await eventually(() => said.includes('begun'));
    const from = performance.now();
    child.kill('SIGINT');
    assert.equal(await ended, 130);
    const running = async (): Promise<boolean> =>
      (await readdir(join(daemon.runFolder, 'bundles'))).some((name) => name.startsWith('build-'));
    await eventually(async () => !(await running()));
    assert.ok(performance.now() - from < 1000, said);
    assert.match(said, /ERROR: failed to build: failed to solve: Canceled: context canceled\n$/);
  });
});
