import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Engine } from './engine.ts';

let engine: Engine;
before(async () => (engine = await Engine.start()));
after(() => engine[Symbol.asyncDispose]());

test('run gives stdin to the container and its output back', async () => {
  const { code, stdout, stderr } = await engine.try(['run', '-i', '--rm', 'busybox', 'cat'], {
    input: 'hi\n',
  });
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'hi\n', stderr: '' });
  const large = 'x'.repeat(79) + '\n';
  const counted = await engine.try(['run', '-i', '--rm', 'busybox', 'wc', '-c'], {
    input: large.repeat(50_000),
  });
  assert.equal(counted.stdout.trim(), '4000000');
  const nothing = await engine.try(['run', '-i', '--rm', 'busybox', 'wc', '-c'], { input: '' });
  assert.equal(nothing.stdout.trim(), '0');
  const silent = await engine.try(['run', '--rm', 'busybox', 'cat'], { input: 'not asked for\n' });
  assert.equal(silent.stdout, '');
});

test('run keeps stdout and stderr apart, byte by byte', async () => {
  const script = 'echo out; echo err >&2; printf "\\0\\377\\n"';
  const { stdout, stderr } = await engine.try(['run', '--rm', 'busybox', 'sh', '-c', script]);
  assert.equal(stdout, 'out\n\0\ufffd\n');
  assert.equal(stderr, 'err\n');
  const only = await engine.try([
    'run',
    '--rm',
    '-a',
    'stderr',
    'busybox',
    'sh',
    '-c',
    'echo out; echo err >&2',
  ]);
  assert.deepEqual([only.stdout, only.stderr], ['', 'err\n']);
});

test('run gives the exit code of the program, and 125, 126, 127 when there is none', async () => {
  const code = async (...args: string[]) => (await engine.try(['run', '--rm', ...args])).code;
  assert.equal(await code('busybox', 'sh', '-c', 'exit 42'), 42);
  assert.equal(await code('busybox', 'sh', '-c', 'sleep 99 & kill -9 $!; wait $!'), 137);
  assert.equal(await code('busybox', 'sh', '-c', 'kill -9 $$; exit 3'), 3); // process 1 is immune
  assert.equal(await code('--no-such-flag', 'busybox', 'true'), 125);
  assert.equal(await code('--network', 'missing', 'busybox', 'true'), 125);
  assert.equal(await code('busybox', 'no-such-program'), 127);
  assert.equal(await code('busybox', '/no/such/program'), 127);
  assert.equal(await code('busybox', '/etc'), 126);
  assert.equal(await code('busybox', '/etc/passwd'), 126);
  assert.equal(await code('-w', '/etc/passwd', 'busybox', 'true'), 125);
  assert.equal(await code('--entrypoint', '/missing', 'busybox'), 127);
});

test('run says why a program cannot start', async () => {
  const missing = await engine.fails(127, 'run', '--name', 'missing', 'busybox', 'no-such-program');
  assert.match(missing, /exec: "no-such-program": executable file not found in \$PATH/);
  assert.equal(await engine.inspect('missing', '{{.State.Status}} {{.State.ExitCode}}'), 'created 127');
  assert.match(await engine.inspect('missing', '{{.State.Error}}'), /executable file not found in \$PATH/);
  await engine.docker('rm', 'missing');
  const denied = await engine.fails(126, 'run', '--rm', 'busybox', '/etc/passwd');
  assert.match(denied, /exec: "\/etc\/passwd": permission denied/);
  const absent = await engine.fails(127, 'run', '--rm', 'busybox', '/no/such');
  assert.match(absent, /exec: "\/no\/such": stat \/no\/such: no such file or directory/);
});

test('run takes variables from -e, --env-file and the environment', async () => {
  const file = join(engine.folder, 'env');
  await writeFile(file, '# a comment\nFROM_FILE=one two\nOVERRIDDEN=file\nTAKEN\n');
  const args = ['--env-file', file, '-e', 'OVERRIDDEN=flag', '-e', 'EMPTY=', '-e', 'GIVEN', '-e', 'ABSENT'];
  const { stdout } = await engine.try(['run', '--rm', ...args, '--hostname', 'box', 'busybox', 'env'], {
    env: { GIVEN: 'here', TAKEN: 'too' },
  });
  assert.deepEqual(stdout.trim().split('\n').sort(), [
    'EMPTY=',
    'FROM_FILE=one two',
    'GIVEN=here',
    'HOME=/root',
    'HOSTNAME=box',
    'OVERRIDDEN=flag',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'TAKEN=too',
  ]);
  assert.equal(await engine.docker('run', '--rm', '-t', 'busybox', 'sh', '-c', 'echo $TERM'), 'xterm\r');
});

test('run sets working directory, user, entrypoint and host name', async () => {
  assert.equal(
    await engine.script(['-w', '/var/new/folder'], 'pwd; ls -ld . | cut -c1-10'),
    '/var/new/folder\ndrwxr-xr-x',
  );
  const who = 'id -u; id -g; echo $HOME; id -G';
  assert.equal(await engine.script(['-u', 'nobody'], who), '65534\n65534\n/home\n65534');
  assert.equal(
    await engine.script(['-u', '123:45', '--group-add', '77', '--group-add', 'adm'], who),
    '123\n45\n/\n45 4 77',
  );
  assert.equal(await engine.script(['-u', '1000'], who), '1000\n0\n/\n0');
  assert.match(
    await engine.fails(125, 'run', '--rm', '-u', 'stranger', 'busybox', 'true'),
    /unable to find user stranger: no matching entries in passwd file/,
  );
  assert.equal(await engine.docker('run', '--rm', '--entrypoint', 'echo', 'busybox', 'a', 'b c'), 'a b c');
  const named = ['--hostname', 'box', '--domainname', 'example.test', '--add-host', 'peer:10.1.2.3'];
  const hosts = await engine.script(named, 'hostname; hostname -f; cat /etc/hostname; grep peer /etc/hosts');
  assert.equal(hosts, 'box\nbox.example.test\nbox\n10.1.2.3\tpeer');
  const { stdout } = await engine.try(['run', '--name', 'plain', 'busybox', 'hostname']);
  assert.equal(stdout.trim(), (await engine.inspect('plain', '{{.Id}}')).slice(0, 12));
  await engine.docker('rm', 'plain');
});

test('streams can be opened by name, also by a user without rights', async () => {
  const script = 'cat /dev/stdin >/dev/stdout; echo err >/dev/stderr';
  for (const user of ['root', 'nobody']) {
    const args = ['run', '-i', '--rm', '-u', user, 'busybox', 'sh', '-c', script];
    assert.deepEqual(await engine.try(args, { input: 'in\n' }), { code: 0, stdout: 'in\n', stderr: 'err\n' });
  }
  const tty = ['run', '--rm', '-t', '-u', 'nobody', 'busybox', 'sh', '-c', 'echo tty >/dev/stdout'];
  assert.equal(await engine.docker(...tty), 'tty\r');
});

test('run writes --cidfile, keeps --name for one container and removes with --rm', async () => {
  const file = join(engine.folder, 'cid');
  const id = await engine.docker(
    'run',
    '-d',
    '--name',
    'only',
    '--cidfile',
    file,
    'busybox',
    'sleep',
    '1000',
  );
  assert.match(id, /^[0-9a-f]{64}$/);
  assert.equal(await readFile(file, 'utf8'), id);
  const conflict = await engine.fails(125, 'run', '--name', 'only', 'busybox', 'true');
  assert.ok(
    conflict.includes(
      `Error response from daemon: Conflict. The container name "/only" is already in use by container "${id}". ` +
        'You have to remove (or rename) that container to be able to reuse that name.',
    ),
    conflict,
  );
  await engine.docker('rm', '-f', 'only');
  await engine.docker('run', '--rm', '--name', 'only', 'busybox', 'true');
  assert.match(await engine.fails(1, 'inspect', 'only'), /No such object: only/i);
});

test('run refuses what cannot be', async () => {
  const refused = async (...args: string[]) => await engine.fails(125, 'run', '--rm', ...args);
  assert.match(
    await refused('--pull', 'never', 'no-such-image', 'true'),
    /No such image: no-such-image:latest/,
  );
  assert.match(
    await refused('BadName', 'true'),
    /repository name \(library\/BadName\) must be lowercase|invalid reference format/,
  );
  assert.match(await refused('--memory', '1k', 'busybox', 'true'), /Minimum memory limit allowed is 6MB/);
  assert.match(
    await refused('--name', '-x', 'busybox', 'true'),
    /Invalid container name \(-x\), only \[a-zA-Z0-9\]/,
  );
  assert.match(
    await refused('--cap-add', 'nonsense', 'busybox', 'true'),
    /unknown capability: "CAP_NONSENSE"/,
  );
  assert.match(
    await refused('-v', 'relative:path', 'busybox', 'true'),
    /invalid mount path: 'path' mount path must be absolute/,
  );
  assert.match(await refused('--network', 'missing', 'busybox', 'true'), /network missing not found/);
  assert.match(await refused('--stop-signal', 'BOGUS', 'busybox', 'true'), /invalid signal: BOGUS/i);
  assert.equal(
    await engine.docker('ps', '-aq', '--filter', 'ancestor=busybox', '--filter', 'status=created'),
    '',
  );
});

test('labels and a filter find containers', async () => {
  await engine.docker(
    'create',
    '--name',
    'red',
    '--label',
    'sr.colour=red',
    '--label',
    'sr.shape',
    'busybox',
  );
  await engine.docker('create', '--name', 'blue', '-l', 'sr.colour=blue', 'busybox');
  const found = async (...filters: string[]) =>
    (
      await engine.docker(
        'ps',
        '-a',
        '--format',
        '{{.Names}}',
        ...filters.flatMap((filter) => ['-f', filter]),
      )
    )
      .split('\n')
      .sort()
      .join();
  assert.equal(await found('label=sr.colour'), 'blue,red');
  assert.equal(await found('label=sr.colour=red'), 'red');
  assert.equal(await found('label=sr.colour', 'label=sr.shape'), 'red');
  assert.equal(await found('label=sr.colour', 'name=blu'), 'blue');
  assert.equal(await found('label=sr.colour', 'status=running'), '');
  assert.equal(await engine.inspect('red', '{{json .Config.Labels}}'), '{"sr.colour":"red","sr.shape":""}');
  await engine.docker('rm', 'red', 'blue');
});
