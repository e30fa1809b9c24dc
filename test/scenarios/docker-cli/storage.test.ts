import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { succeed } from '../../setup/index.ts';
import { Engine } from './engine.ts';

let engine: Engine;
before(async () => (engine = await Engine.start()));
after(() => engine[Symbol.asyncDispose]());

/** They would touch what others have. */
const ours = { skip: process.env['WHARF_TEST_HOST'] !== undefined };
const lines = (text: string): string[] => text.split('\n').filter(Boolean);

test('-v binds folders and files of the host, rw and ro', async () => {
  const folder = join(engine.folder, 'bound');
  await mkdir(folder);
  await writeFile(join(folder, 'file'), 'from the host\n');
  assert.equal(
    await engine.script(['-v', `${folder}:/data`], 'cat /data/file; echo back >/data/made'),
    'from the host',
  );
  assert.equal(await readFile(join(folder, 'made'), 'utf8'), 'back\n');
  const denied = await engine.try(['run', '--rm', '-v', `${folder}:/data:ro`, 'busybox', 'touch', '/data/x']);
  assert.match(denied.stderr, /Read-only file system/);
  assert.equal(await engine.script(['-v', `${folder}/file:/etc/motd:ro`], 'cat /etc/motd'), 'from the host');
  assert.equal(
    await engine.script(
      ['--mount', `type=bind,src=${folder},dst=/data,readonly`],
      'cat /data/made; touch /data/x 2>/dev/null || echo ro',
    ),
    'back\nro',
  );
  // -v makes a missing folder, --mount refuses it.
  await engine.script(['-v', `${engine.folder}/fresh:/data`], 'touch /data/x');
  assert.ok((await stat(join(engine.folder, 'fresh/x'))).isFile());
  assert.match(
    await engine.fails(
      125,
      'run',
      '--rm',
      '--mount',
      `type=bind,src=${engine.folder}/gone,dst=/data`,
      'busybox',
    ),
    /bind source path does not exist: .*\/gone/,
  );
});

test('a named volume outlives its containers', async () => {
  await engine.script(['-v', 'sr-kept:/data'], 'echo text >/data/file');
  assert.equal(
    await engine.script(['-v', 'sr-kept:/else:ro'], 'cat /else/file; touch /else/x 2>/dev/null || echo ro'),
    'text\nro',
  );
  assert.equal(await engine.script(['--mount', 'src=sr-kept,dst=/m'], 'cat /m/file'), 'text');
  await engine.docker('create', '--name', 'user', '-v', 'sr-kept:/data', 'busybox');
  assert.match(
    await engine.fails(1, 'volume', 'rm', 'sr-kept'),
    /remove sr-kept: volume is in use - \[[0-9a-f]{64}\]/,
  );
  assert.equal(
    await engine.inspect(
      'user',
      '{{(index .Mounts 0).Type}} {{(index .Mounts 0).Name}} {{(index .Mounts 0).Destination}} {{(index .Mounts 0).RW}}',
    ),
    'volume sr-kept /data true',
  );
  await engine.docker('rm', '-v', 'user');
  assert.equal(await engine.docker('volume', 'ls', '-q', '--filter', 'name=sr-kept'), 'sr-kept');
  assert.equal(await engine.docker('volume', 'rm', 'sr-kept'), 'sr-kept');
  assert.match(await engine.fails(1, 'volume', 'inspect', 'sr-kept'), /get sr-kept: no such volume/);
});

test('anonymous volumes go with --rm and rm -v, and stay with rm', async () => {
  const anonymous = async () =>
    lines(await engine.docker('volume', 'ls', '-q', '--filter', 'name=^[0-9a-f]{64}$')).length;
  const before = await anonymous();
  await engine.docker('run', '--name', 'holder', '-v', '/data', 'busybox', 'touch', '/data/x');
  assert.equal(await anonymous(), before + 1);
  assert.match(await engine.inspect('holder', '{{(index .Mounts 0).Name}}'), /^[0-9a-f]{64}$/);
  await engine.docker('rm', '-v', 'holder');
  assert.equal(await anonymous(), before);
  await engine.script(['-v', '/data'], 'touch /data/x');
  assert.equal(await anonymous(), before);
  await engine.docker('create', '--name', 'holder', '-v', '/data', 'busybox');
  const name = await engine.inspect('holder', '{{(index .Mounts 0).Name}}');
  await engine.docker('rm', 'holder');
  assert.equal(await anonymous(), before + 1);
  await engine.docker('volume', 'rm', name);
});

test('a new volume gets what the image has at its place', async () => {
  const list = 'ls /etc | tr "\\n" " "; stat -c "%a %u" /etc/passwd';
  const plain = await engine.script(
    [],
    'ls /etc | grep -E "^(passwd|group)$" | tr "\\n" " "; stat -c "%a %u" /etc/passwd',
  );
  const copied = await engine.script(['-v', 'sr-copy:/etc'], list);
  assert.ok(copied.includes('group') && copied.includes('passwd'), copied);
  assert.ok(copied.endsWith(plain.slice(-5)), copied);
  // A second container finds it filled, and what it holds is not overwritten.
  await engine.script(['-v', 'sr-copy:/etc'], 'echo changed >/etc/passwd');
  assert.equal(await engine.script(['-v', 'sr-copy:/etc'], 'cat /etc/passwd'), 'changed');
  assert.equal(await engine.script(['-v', 'sr-nocopy:/etc:nocopy'], 'ls /etc | grep -c passwd; true'), '0');
  await engine.docker('volume', 'rm', 'sr-copy', 'sr-nocopy');
});

test('--volumes-from takes over the volumes of another container', async () => {
  await engine.docker('create', '--name', 'source', '-v', '/shared', '-v', 'sr-named:/named', 'busybox');
  await engine.script(['--volumes-from', 'source'], 'echo a >/shared/a; echo b >/named/b');
  const script = 'cat /shared/a /named/b; touch /named/c 2>/dev/null || echo ro';
  assert.equal(await engine.script(['--volumes-from', 'source:ro'], script), 'a\nb\nro');
  assert.match(
    await engine.fails(125, 'run', '--rm', '--volumes-from', 'none-such', 'busybox'),
    /^docker: Error response from daemon: No such container: none-such/,
  );
  await engine.docker('rm', '-v', 'source');
  await engine.docker('volume', 'rm', 'sr-named');
});

test('volumes: create, ls, inspect, rm, prune', ours, async () => {
  assert.equal(await engine.docker('volume', 'create', '--label', 'a=b', 'named'), 'named');
  assert.equal(await engine.docker('volume', 'create', 'named'), 'named'); // the same again
  const unnamed = await engine.docker('volume', 'create');
  assert.match(unnamed, /^[0-9a-f]{64}$/);
  assert.equal(
    await engine.docker(
      'volume',
      'inspect',
      '-f',
      '{{.Name}} {{.Driver}} {{.Scope}} {{json .Labels}}',
      'named',
    ),
    'named local local {"a":"b"}',
  );
  assert.match(
    await engine.docker('volume', 'inspect', '-f', '{{.Mountpoint}}', 'named'),
    /\/volumes\/named\/_data$/,
  );
  assert.deepEqual(lines(await engine.docker('volume', 'ls', '-q')).sort(), [unnamed, 'named'].sort());
  assert.equal(await engine.docker('volume', 'ls', '-q', '-f', 'label=a=b'), 'named');
  assert.equal(await engine.docker('volume', 'ls', '-q', '-f', 'dangling=false'), '');
  assert.match(
    await engine.fails(1, 'volume', 'create', '../evil'),
    /"\.\.\/evil" includes invalid characters for a local volume name/,
  );
  const pruned = await engine.docker('volume', 'prune', '-f');
  assert.match(pruned, new RegExp(`^Deleted Volumes:\\n${unnamed}\\n\\nTotal reclaimed space: 0B`));
  assert.match(await engine.docker('volume', 'prune', '-a', '-f'), /^Deleted Volumes:\nnamed\n/);
  assert.equal(await engine.docker('volume', 'ls', '-q'), '');
});

test('cp copies files and folders into a container and out of it', async () => {
  await engine.docker('create', '--name', 'box', 'busybox', 'sleep', '1000');
  const source = join(engine.folder, 'source');
  await mkdir(join(source, 'deep'), { recursive: true });
  await writeFile(join(source, 'deep/file'), 'content\n');
  await chmod(join(source, 'deep/file'), 0o640);
  await succeed('ln', ['-s', 'deep/file', join(source, 'link')]);
  await engine.docker('cp', source, 'box:/tmp/new'); // stopped, to a new name
  await engine.docker('cp', source, 'box:/tmp'); // into a folder
  await engine.docker('cp', `${source}/.`, 'box:/var/www'); // the contents
  await engine.docker('start', 'box');
  const look =
    'cd /tmp; cat new/deep/file; stat -c %a source/deep/file; readlink source/link; ls /var/www | tr "\\n" " "';
  assert.equal(await engine.docker('exec', 'box', 'sh', '-c', look), 'content\n640\ndeep/file\ndeep link ');
  await engine.docker(
    'exec',
    'box',
    'sh',
    '-c',
    'echo made >/tmp/made; ln -s /etc/passwd /tmp/escape; ln -s ../../../../../../etc/hostname /tmp/climb',
  );
  await engine.docker('cp', 'box:/tmp/made', join(engine.folder, 'out'));
  assert.equal(await readFile(join(engine.folder, 'out'), 'utf8'), 'made\n');
  await engine.docker('cp', 'box:/tmp/new', join(engine.folder, 'tree'));
  assert.equal(await readFile(join(engine.folder, 'tree/deep/file'), 'utf8'), 'content\n');
  // Links resolve inside the container.
  await engine.docker('cp', '-L', 'box:/tmp/climb', join(engine.folder, 'hostname'));
  const id = await engine.inspect('box', '{{.Id}}');
  assert.equal(await readFile(join(engine.folder, 'hostname'), 'utf8'), `${id.slice(0, 12)}\n`);
  const { stdout } = await engine.try(['cp', 'box:/tmp/made', '-']);
  assert.ok(stdout.includes('ustar') && stdout.includes('made'));
  assert.match(
    await engine.fails(1, 'cp', 'box:/tmp/none', engine.folder),
    /Could not find the file \/tmp\/none in container box/,
  );
  assert.match(
    await engine.fails(1, 'cp', join(engine.folder, 'out'), 'box:/no/such/folder/'),
    /no such directory|Could not find the file \/no\/such\/folder/,
  );
  assert.match(
    await engine.fails(1, 'cp', join(engine.folder, 'out'), 'none:/tmp'),
    /No such container: none/,
  );
  await engine.docker('rm', '-f', 'box');
});

test('cp reaches volumes, and not a read-only root', async () => {
  await writeFile(join(engine.folder, 'word'), 'word\n');
  await engine.docker(
    'create',
    '--name',
    'sealed',
    '--read-only',
    '-v',
    '/data',
    'busybox',
    'cat',
    '/data/word',
  );
  await engine.docker('cp', join(engine.folder, 'word'), 'sealed:/data/word');
  assert.match(
    await engine.fails(1, 'cp', join(engine.folder, 'word'), 'sealed:/tmp/word'),
    /container rootfs is marked read-only/,
  );
  assert.equal(await engine.docker('start', '-a', 'sealed'), 'word');
  await engine.docker('rm', '-v', 'sealed');
});

test('diff lists what a container changed', async () => {
  await engine.docker(
    'run',
    '--name',
    'changed',
    'busybox',
    'sh',
    '-c',
    'echo x >/new; rm /etc/group; echo y >>/etc/passwd; mkdir -p /var/a/b',
  );
  assert.deepEqual(lines(await engine.docker('diff', 'changed')).sort(), [
    'A /new',
    'A /var/a',
    'A /var/a/b',
    'C /etc',
    'C /etc/passwd',
    'C /var',
    'D /etc/group',
  ]);
  await engine.docker('rm', 'changed');
  await engine.docker('run', '--name', 'unchanged', 'busybox', 'true');
  assert.equal(await engine.docker('diff', 'unchanged'), '');
  await engine.docker('rm', 'unchanged');
});

test('export and import move a file system', async () => {
  await engine.docker(
    'run',
    '--name',
    'original',
    'busybox',
    'sh',
    '-c',
    'echo kept >/kept; chown 12:34 /kept; chmod 4750 /kept',
  );
  const archive = join(engine.folder, 'root.tar');
  await engine.docker('export', '-o', archive, 'original');
  assert.equal(await succeed('tar', ['-xOf', archive, 'kept']), 'kept');
  assert.match(await succeed('tar', ['--numeric-owner', '-tvf', archive, 'kept']), /^-rwsr-x--- 12\/34 /);
  const id = await engine.docker(
    'import',
    '-c',
    'CMD ["cat","/kept"]',
    '-c',
    'ENV FOO=bar',
    '-m',
    'a message',
    archive,
    'sr-imported:1',
  );
  assert.match(id, /^sha256:[0-9a-f]{64}$/);
  assert.equal(await engine.docker('run', '--rm', 'sr-imported:1'), 'kept');
  assert.equal(
    await engine.docker('run', '--rm', 'sr-imported:1', 'sh', '-c', 'echo $FOO; stat -c "%u %g %a" /kept'),
    'bar\n12 34 4750',
  );
  assert.equal(
    await engine.docker('image', 'inspect', '-f', '{{len .RootFS.Layers}} {{.Comment}}', 'sr-imported:1'),
    '1 a message',
  );
  await engine.docker('rm', 'original');
  await engine.docker('rmi', 'sr-imported:1');
});

test('commit makes an image of a container', async () => {
  await engine.docker(
    'run',
    '--name',
    'work',
    '-e',
    'A=1',
    'busybox',
    'sh',
    '-c',
    'echo made >/made; rm /etc/group',
  );
  const id = await engine.docker(
    'commit',
    '-m',
    'why',
    '-a',
    'someone',
    '-c',
    'CMD ["cat","/made"]',
    'work',
    'sr-committed:1',
  );
  assert.match(id, /^sha256:[0-9a-f]{64}$/);
  assert.equal(await engine.docker('run', '--rm', 'sr-committed:1'), 'made');
  assert.equal(
    await engine.docker(
      'run',
      '--rm',
      'sr-committed:1',
      'sh',
      '-c',
      'echo $A; ls /etc/group 2>&1 >/dev/null | wc -l',
    ),
    '1\n1',
  );
  assert.equal(
    await engine.docker(
      'image',
      'inspect',
      '-f',
      '{{len .RootFS.Layers}} {{.Comment}} {{.Author}}',
      'sr-committed:1',
    ),
    '2 why someone',
  );
  assert.match(
    await engine.docker('history', '--format', '{{.Comment}}|{{.CreatedBy}}', 'sr-committed:1'),
    /^why\|sh -c /,
  );
  assert.match(await engine.fails(1, 'rmi', 'sr-missing:1'), /No such image: sr-missing:1/);
  await engine.docker('rm', 'work');
  const removed = await engine.docker('rmi', 'sr-committed:1');
  assert.match(
    removed,
    new RegExp(`^Untagged: sr-committed:1\\nDeleted: ${id}\\nDeleted: sha256:[0-9a-f]{64}$`),
  );
});

test('images: tag, ls, save, load, rmi, prune', ours, async () => {
  await engine.docker('tag', 'busybox', 'example.test:5000/team/tool:v1');
  assert.deepEqual(lines(await engine.docker('images', '--format', '{{.Repository}}:{{.Tag}}')).sort(), [
    'busybox:latest',
    'example.test:5000/team/tool:v1',
  ]);
  const archive = join(engine.folder, 'image.tar');
  await engine.docker('save', '-o', archive, 'example.test:5000/team/tool:v1');
  assert.match(
    await engine.docker('rmi', 'example.test:5000/team/tool:v1'),
    /^Untagged: example\.test:5000\/team\/tool:v1$/,
  );
  assert.equal(await engine.docker('load', '-i', archive), 'Loaded image: example.test:5000/team/tool:v1');
  await engine.docker('create', '--name', 'user', 'busybox');
  await engine.docker('rmi', 'example.test:5000/team/tool:v1');
  assert.match(
    await engine.fails(1, 'rmi', 'busybox'),
    /conflict: unable to remove repository reference "busybox" \(must force\) - container [0-9a-f]{12} is using its referenced image [0-9a-f]{12}/,
  );
  await engine.docker('rm', 'user');
  await engine.docker('run', '--name', 'work', 'busybox', 'touch', '/x');
  const dangling = await engine.docker('commit', 'work');
  await engine.docker('rm', 'work');
  assert.equal(await engine.docker('images', '-q', '--no-trunc', '-f', 'dangling=true'), dangling);
  assert.match(
    await engine.docker('image', 'prune', '-f'),
    new RegExp(`Deleted Images:\\ndeleted: ${dangling}\\n`),
  );
  assert.equal(await engine.docker('images', '--format', '{{.Repository}}'), 'busybox');
});
