import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { succeed } from '../../setup/index.ts';
import { Engine } from '../docker-cli/engine.ts';
import { covers } from './covers.ts';

let engine: Engine;
const volumes = ['rf-data', 'rf-labelled', 'rf-small'];
before(async () => (engine = await Engine.start()));
after(async () => {
  await engine.try(['volume', 'rm', '-f', ...volumes]);
  await engine[Symbol.asyncDispose]();
});

const reference = process.env['WHARF_TEST_HOST'] !== undefined;
const refused = (...flags: string[]): Promise<string> =>
  engine.fails(125, 'run', '--rm', ...flags, 'busybox', 'true');
const mountLine = (path: string): string => `grep ' ${path} ' /proc/mounts | cut -d' ' -f3,4`;

/** A mount point of the scenario's own that the host shares. */
async function withSharedMount(body: (path: string) => Promise<void>): Promise<void> {
  const path = join(engine.folder, 'shared');
  await mkdir(path, { recursive: true });
  await succeed('mount', ['-t', 'tmpfs', 'shared', path]);
  try {
    await succeed('mount', ['--make-shared', path]);
    await mkdir(join(path, 'below'));
    await succeed('mount', ['-t', 'tmpfs', 'below', join(path, 'below')]);
    await body(path);
  } finally {
    await succeed('umount', ['-R', '-l', path]);
  }
}

covers('--volume', 'modes of binds and volumes', async () => {
  const folder = join(engine.folder, 'bound');
  await mkdir(folder);
  await chmod(folder, 0o777);
  const write = 'touch /b/x 2>/dev/null && echo rw || echo ro';
  for (const [mode, expected] of Object.entries({
    ro: 'ro',
    rw: 'rw',
    'ro,z': 'ro',
    Z: 'rw',
    cached: 'rw',
  })) {
    assert.equal(await engine.script(['-v', `${folder}:/b:${mode}`], write), expected, mode);
    assert.equal(await engine.script(['--volume', `rf-data:/b:${mode}`], write), expected, mode);
  }
  assert.equal(await engine.script(['-v', 'rf-data:/bin:nocopy'], 'true').catch(() => 'empty'), 'empty');
  for (const mode of ['none', 'readonly', 'ro,rw', 'shared,private', 'ro,ro']) {
    assert.match(await refused('-v', `${folder}:/b:${mode}`), new RegExp(`invalid mode: ${mode}`));
  }
  assert.match(
    await refused('-v', `${folder}:/b:nocopy`),
    /invalid mount config for type "bind": field VolumeOptions must not be specified/,
  );
  assert.match(
    await refused('-v', 'rf-data:/b:rshared'),
    /invalid mount config for type "volume": field BindOptions must not be specified/,
  );
  assert.match(await refused('-v', `${folder}:/`), /invalid specification: destination can't be '\/'/);
  assert.match(await refused('-v', 'rf-data:b'), /invalid mount path: 'b' mount path must be absolute/);
});

covers('--volume --mount', 'mounts travel between host and container as the propagation says', async () => {
  await withSharedMount(async (path) => {
    const inner =
      'mkdir -p /b/in; mount -t tmpfs in /b/in; echo /b/in/* /b/out/*; touch /b/in/made; sleep 1000';
    for (const [mode, [up, down]] of Object.entries({
      rshared: [true, true],
      rslave: [false, true],
      rprivate: [false, false],
    })) {
      await mkdir(join(path, 'out'), { recursive: true });
      const volume =
        mode === 'rslave'
          ? ['--mount', `type=bind,src=${path},dst=/b,bind-propagation=rslave`]
          : ['-v', `${path}:/b:${mode}`];
      const run = ['run', '-d', '--name', 'rf-travel', '--privileged', ...volume, 'busybox'];
      await engine.docker(...run, 'sh', '-c', inner);
      await engine.docker('exec', 'rf-travel', 'sh', '-c', 'until test -e /b/in/made; do :; done');
      await succeed('mount', ['-t', 'tmpfs', 'out', join(path, 'out')]);
      await writeFile(join(path, 'out/host'), '');
      assert.deepEqual(await readdir(join(path, 'in')), up ? ['made'] : [], mode);
      assert.equal(await engine.docker('exec', 'rf-travel', 'ls', '/b/out'), down ? 'host' : '', mode);
      await engine.docker('rm', '-f', 'rf-travel');
      await succeed('umount', [join(path, 'out')]);
      if (up) await succeed('umount', [join(path, 'in')]);
    }
  });
  const apart = join(engine.folder, 'apart');
  await mkdir(apart);
  await succeed('mount', ['-t', 'tmpfs', 'apart', apart]);
  try {
    await succeed('mount', ['--make-private', apart]);
    const where = `path ${apart} is mounted on ${apart} but it is not a shared`;
    assert.match(await refused('-v', `${apart}:/b:rshared`), new RegExp(`${where} mount`));
    assert.match(await refused('-v', `${apart}:/b:slave`), new RegExp(`${where} or slave mount`));
  } finally {
    await succeed('umount', ['-l', apart]);
  }
});

covers('--mount', 'type=bind: recursion, read-only trees, and errors', async () => {
  await withSharedMount(async (path) => {
    const bind = `type=bind,src=${path},dst=/b`;
    const show = "grep ' /b' /proc/mounts | cut -d' ' -f2,4 | cut -d, -f1";
    for (const [options, expected] of Object.entries({
      '': '/b rw\n/b/below rw',
      ',readonly': '/b ro\n/b/below ro',
      ',bind-recursive=disabled': '/b rw',
      ',bind-recursive=writable,readonly': '/b ro\n/b/below rw',
      ',bind-recursive=readonly,readonly,bind-propagation=rprivate': '/b ro\n/b/below ro',
    })) {
      assert.equal(await engine.script(['--mount', bind + options], show), expected, options);
    }
  });
  for (const [mount, why] of Object.entries({
    'type=bind,dst=/b': /field Source must not be empty/,
    'type=bind,src=tmp,dst=/b': /invalid mount path: 'tmp' mount path must be absolute/,
    'type=bind,src=/tmp,dst=b': /invalid mount path: 'b' mount path must be absolute/,
    'type=bind,src=/tmp,dst=/': /destination can't be '\/'/,
    'type=bind,src=/no/such,dst=/b': /bind source path does not exist: \/no\/such/,
    'type=bind,src=/tmp,dst=/b,bind-propagation=x': /invalid propagation mode: x/,
    'type=npipe,src=a,dst=/b': /invalid mount config for type "npipe": mount type unknown/,
    'type=cluster,src=a,dst=/b': /invalid mount config for type "cluster": mount type unknown/,
    'type=bind,src=/tmp': /target is required/,
    'type=bind,src=/tmp,dst=/b,volume-nocopy': /cannot mix 'volume-\*' options with mount type 'bind'/,
  })) {
    assert.match(await refused('--mount', mount), why, mount);
  }
  const twice = ['--mount', 'type=tmpfs,dst=/b', '--mount', 'type=tmpfs,dst=/b'];
  assert.match(await refused(...twice), /Duplicate mount point: \/b/);
});

covers('--mount', 'type=volume: subpaths stay in the volume, options and labels', async () => {
  await engine.script(
    ['-v', 'rf-data:/v'],
    'mkdir -p /v/sub/etc /v/etc; echo text >/v/sub/file; ln -s /etc /v/link; echo own >/v/etc/own',
  );
  const subpath = (path: string): string => `type=volume,src=rf-data,dst=/b,volume-subpath=${path}`;
  assert.equal(await engine.script(['--mount', subpath('sub')], 'ls /b; cat /b/file'), 'etc\nfile\ntext');
  assert.equal(await engine.script(['--mount', subpath('sub/file')], 'cat /b'), 'text');
  // A link of the volume leads inside the volume, never to the host.
  if (!reference) assert.equal(await engine.script(['--mount', subpath('link')], 'ls /b'), 'own');
  assert.match(
    await engine.fails(127, 'run', '--rm', '--mount', subpath('none'), 'busybox', 'true'),
    /cannot access path .*\/none: no such file or directory/,
  );
  const relative = /subpath must be a relative path within the volume/;
  assert.match(await refused('--mount', subpath('../x')), relative);
  assert.match(await refused('--mount', subpath('/x')), relative);
  assert.match(
    await refused('--mount', 'type=volume,dst=/b,volume-subpath=x'),
    /must not set Subpath when using anonymous volumes/,
  );
  const small =
    'type=volume,src=rf-small,dst=/b,volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=size=1m';
  assert.match(await engine.script(['--mount', small], mountLine('/b')), /^tmpfs .*size=1024k/);
  await engine.script(['--mount', 'src=rf-labelled,dst=/b,volume-label=a=b'], 'true');
  assert.equal(await engine.docker('volume', 'inspect', '-f', '{{index .Labels "a"}}', 'rf-labelled'), 'b');
});

covers(
  '--mount',
  "type=image: an image's files, read-only, whole or a part",
  async () => {
    const whole = ['--mount', 'type=image,src=busybox,dst=/i'];
    const look = 'ls /i/bin/busybox; touch /i/x 2>/dev/null || echo ro';
    assert.equal(await engine.script(whole, look), '/i/bin/busybox\nro');
    const part = ['--mount', 'type=image,src=busybox,dst=/i,image-subpath=bin'];
    assert.match(await engine.script(part, 'ls /i/busybox'), /\/i\/busybox/);
    assert.match(
      await engine.fails(
        127,
        'run',
        '--rm',
        '--mount',
        'type=image,src=busybox,dst=/i,image-subpath=none',
        'busybox',
        'true',
      ),
      /cannot access path .*\/none: no such file or directory/,
    );
    assert.match(await refused('--mount', 'type=image,dst=/i'), /field Source must not be empty/);
    // The image stays for as long as a container wants it.
    await engine.docker('run', '--name', 'rf-other', 'busybox', 'sh', '-c', 'echo other >/other');
    await engine.docker('commit', 'rf-other', 'rf-other');
    await engine.docker('rm', 'rf-other');
    await engine.docker(
      'create',
      '--name',
      'rf-image',
      '--mount',
      'type=image,src=rf-other,dst=/i',
      'busybox',
      'cat',
      '/i/other',
    );
    await engine.docker('rmi', '-f', 'rf-other');
    assert.equal(await engine.docker('start', '-a', 'rf-image'), 'other');
    assert.equal(
      await engine.inspect('rf-image', '{{range .Mounts}}{{.Type}} {{.Name}} {{.RW}}{{end}}'),
      'image rf-other false',
    );
    await engine.docker('cp', 'rf-image:/i/other', join(engine.folder, 'other'));
    assert.equal(await readFile(join(engine.folder, 'other'), 'utf8'), 'other\n');
    await engine.docker('rm', 'rf-image');
  },
  { skip: reference && 'it says that images as mounts are experimental' },
);

covers('--mount --tmpfs', 'type=tmpfs: size, mode and flags', async () => {
  const show = (...flags: string[]): Promise<string> => engine.script(flags, mountLine('/t'));
  assert.equal(await show('--tmpfs', '/t'), 'tmpfs rw,nosuid,nodev,noexec,relatime');
  assert.equal(
    await show('--tmpfs', '/t:size=1m,mode=700,exec,uid=5'),
    'tmpfs rw,nosuid,nodev,relatime,size=1024k,mode=700,uid=5',
  );
  assert.equal(await show('--tmpfs', '/t:ro'), 'tmpfs ro,nosuid,nodev,noexec,relatime');
  assert.equal(
    await show('--mount', 'type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=0750'),
    'tmpfs rw,nosuid,nodev,noexec,relatime,size=1024k,mode=750',
  );
  assert.match(await refused('--tmpfs', '/t:none'), /invalid tmpfs option "none"/);
  assert.match(await refused('--tmpfs', '/t:context=x'), /invalid tmpfs option "context"/);
  assert.match(await refused('--tmpfs', 't'), /invalid mount path: 't' mount path must be absolute/);
  assert.match(await refused('--mount', 'type=tmpfs,src=/v,dst=/t'), /field Source must not be specified/);
  assert.match(await refused('--mount', 'type=tmpfs,dst=/t,tmpfs-size=x'), /invalid value for tmpfs-size: x/);
});

covers('--volume-driver', 'local, and others refused by name', async () => {
  assert.equal(await engine.script(['--volume-driver', 'local', '-v', 'rf-data:/b'], 'ls -d /b'), '/b');
  const create = [
    'create',
    '--pull',
    'never',
    '--volume-driver',
    'none-such',
    '-v',
    'rf-fresh:/b',
    'busybox',
  ];
  assert.match(
    await engine.fails(1, ...create),
    /error looking up volume plugin none-such: plugin "none-such" not found/,
  );
});

covers('--volumes-from', 'with the rights of the owner or less', async () => {
  const folder = join(engine.folder, 'from');
  await mkdir(folder);
  await chmod(folder, 0o777);
  const own = ['-v', 'rf-data:/b', '-v', '/anonymous', '-v', `${folder}:/c:ro`, '--tmpfs', '/t'];
  await engine.docker('create', '--name', 'rf-owner', ...own, 'busybox');
  const write =
    'for at in /b /anonymous /c; do touch $at/x 2>/dev/null && echo rw || echo ro; done; ls -d /t 2>&1';
  const none = 'ls: /t: No such file or directory';
  for (const [mode, rights] of Object.entries({
    '': 'rw rw ro',
    ':ro': 'ro ro ro',
    ':rw': 'rw rw ro',
    ':ro,z': 'ro ro ro',
  })) {
    const { stdout } = await engine.try([
      'run',
      '--rm',
      '--volumes-from',
      `rf-owner${mode}`,
      'busybox',
      'sh',
      '-c',
      write,
    ]);
    assert.equal(stdout.trim().split('\n').join(' '), `${rights} ${none}`, mode);
  }
  for (const mode of ['none', 'ro:x', 'nocopy', 'rshared']) {
    assert.match(await refused('--volumes-from', `rf-owner:${mode}`), new RegExp(`invalid mode: ${mode}`));
  }
  assert.match(await refused('--volumes-from', 'rf-none'), /No such container: rf-none/);
  await engine.docker('rm', '-v', 'rf-owner');
});

covers('--volume', 'a missing source is made, at each start; --mount refuses it', async () => {
  const source = join(engine.folder, 'missing');
  await engine.docker('create', '--name', 'rf-made', '-v', `${source}:/b`, 'busybox', 'ls', '-d', '/b');
  assert.equal(await engine.docker('start', '-a', 'rf-made'), '/b');
  await succeed('rmdir', [source]);
  assert.equal(await engine.docker('start', '-a', 'rf-made'), '/b');
  await engine.docker('rm', 'rf-made');
  const mount = ['--mount', `type=bind,src=${source},dst=/b`];
  await engine.docker('create', '--name', 'rf-kept', ...mount, 'busybox', 'true');
  await succeed('rmdir', [source]);
  assert.match(await engine.fails(1, 'start', 'rf-kept'), /bind source path does not exist: .*\/missing/);
  await engine.docker('rm', 'rf-kept');
});

covers('--volume', 'a link as source is followed on the host', async () => {
  await mkdir(join(engine.folder, 'real'));
  await writeFile(join(engine.folder, 'real/file'), 'real');
  await symlink('real', join(engine.folder, 'link'));
  assert.equal(await engine.script(['-v', `${join(engine.folder, 'link')}:/b`], 'cat /b/file'), 'real');
});
