import assert from 'node:assert/strict';
import { link, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { answerOf, busyboxArchive, makeTar, startDaemon, succeed, type Daemon } from '../setup/index.ts';

/** Contexts that no tidy project has: everything a folder can hold, and everything that tries to lead out of it. */

let daemon: Daemon;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-test-contexts-'));
  daemon = await startDaemon();
  await answerOf(daemon.docker, ['load', '-i', await busyboxArchive()]);
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const clients = [
  ['the legacy client', { DOCKER_BUILDKIT: '0' }],
  ['buildx', {}],
] as const;

async function context(name: string, dockerfile: string): Promise<string> {
  const root = join(folder, name);
  await mkdir(root, { recursive: true });
  await writeFile(join(root, 'Dockerfile'), `FROM busybox\n${dockerfile}\n`);
  return root;
}

const inside = (...command: string[]): Promise<string> =>
  answerOf(daemon.docker, ['run', '--rm', 'contexts', ...command]);

for (const [client, env] of clients) {
  const build = (root: string): ReturnType<Daemon['docker']> =>
    daemon.docker(['build', '--no-cache', '-t', 'contexts', root], { env });

  test(`${client} sends whatever a folder holds`, async () => {
    const root = await context(`all-${client.length}`, 'COPY . /all');
    const deep = Array.from({ length: 100 }, (_, n) => `level${n}`).join('/');
    await mkdir(join(root, deep), { recursive: true });
    await writeFile(join(root, deep, 'bottom'), 'deep');
    const names = ['-dash', 'two\nlines', 'a b', 'ümläut', '*?[x]', 'quote"\'', '\\', '…', '%41'];
    for (const name of names) await writeFile(join(root, name), name);
    await writeFile(join(root, 'first'), 'linked');
    await link(join(root, 'first'), join(root, 'second'));
    await symlink('/etc/shadow', join(root, 'absolute'));
    await symlink('loop', join(root, 'loop'));
    await symlink('../../../../etc', join(root, 'out'));
    await succeed('mkfifo', [join(root, 'fifo')]);
    const server: Server = createServer().listen(join(root, 'socket'));
    try {
      const { code, stderr } = await build(root);
      assert.equal(code, 0, stderr);
    } finally {
      server.close();
    }
    for (const name of names) assert.equal(await inside('cat', `/all/${name}`), name);
    assert.equal(await inside('cat', `/all/${deep}/bottom`), 'deep');
    assert.equal(await inside('readlink', '/all/absolute'), '/etc/shadow');
    assert.equal(await inside('readlink', '/all/out'), '../../../../etc');
    const [first, second] = (await inside('stat', '-c', '%i %h', '/all/first', '/all/second')).split('\n');
    assert.equal(first, second);
    assert.match(first ?? '', / 2$/);
    assert.equal(await inside('sh', '-c', 'test -p /all/fifo && ! test -S /all/socket && echo yes'), 'yes');
  });

  test(`${client} gets nothing from outside its context, and puts nothing outside the image`, async () => {
    const outside = join(folder, `outside-${client.length}`);
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 's3cret');
    const wanted = ['link', 'folder/secret', '../outside/secret', `${outside}/secret`, 'relative/secret'];
    for (const [n, path] of wanted.entries()) {
      const root = await context(`escape-${client.length}-${n}`, `COPY ${path} /got`);
      await symlink(join(outside, 'secret'), join(root, 'link'));
      await symlink(outside, join(root, 'folder'));
      await symlink(`../outside-${client.length}`, join(root, 'relative'));
      const { code, stderr } = await build(root);
      assert.notEqual(code, 0, path);
      assert.doesNotMatch(stderr, /s3cret/);
    }
    // Links that a step has made lead nowhere but into the image, whatever is written through them.
    const hostile = [
      `RUN mkdir -p ${outside} && ln -s ${outside} /bait && ln -s ../../../../../../..${outside} /up && mkdir /sub && ln -s / /sub/root`,
      'COPY Dockerfile /bait/planted',
      'COPY Dockerfile /up/planted',
      `COPY Dockerfile /sub/root${outside}/planted`,
      `WORKDIR /bait/made`,
      'RUN echo > here',
    ];
    const root = await context(`hostile-${client.length}`, hostile.join('\n'));
    const { code, stderr } = await build(root);
    assert.equal(code, 0, stderr);
    assert.equal(await succeed('ls', [outside]), 'secret');
    assert.equal(await readFile(join(outside, 'secret'), 'utf8'), 's3cret');
    assert.equal(await inside('ls', outside), 'made\nplanted');
  });
}

test('a tar that tries to lead out of its root is refused or stays inside', async () => {
  const dockerfile = { name: 'Dockerfile', content: 'FROM busybox\nCOPY . /all\n' };
  const outside = join(folder, 'target');
  await mkdir(outside);
  const hostile = [
    [{ name: '../escaped', content: 'x' }],
    [{ name: '/tmp/../../escaped', content: 'x' }],
    [
      { name: 'door', link: outside },
      { name: 'door/planted', content: 'x' },
    ],
    [{ name: 'hard', hardLink: '../../../../../../etc/passwd' }],
  ];
  for (const entries of hostile) {
    const path = join(folder, 'hostile.tar');
    await writeFile(path, makeTar([dockerfile, ...entries]));
    const args = ['-sS', '--unix-socket', daemon.socket, '-H', 'Content-Type: application/x-tar'];
    const answer = await succeed('curl', [...args, '--data-binary', `@${path}`, 'http://engine/v1.51/build']);
    assert.match(answer, /outside|no folder|not in the context/, answer);
    assert.equal(await succeed('ls', [outside]), '');
  }
});
