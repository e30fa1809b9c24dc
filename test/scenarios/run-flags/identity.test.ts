import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { Engine } from '../docker-cli/engine.ts';
import { covers, wharf } from './covers.ts';

let engine: Engine;
before(async () => {
  engine = await Engine.start();
  await makeImages();
});
after(async () => {
  await engine.try(['rmi', '-f', 'rf-users', 'rf-program']);
  await engine[Symbol.asyncDispose]();
});

/** An image with people and groups, and one with a program, variables and a working directory. */
async function makeImages(): Promise<void> {
  const accounts = {
    passwd:
      'root:x:0:0::/root:/bin/sh\nann:x:1001:1002::/home/ann:/bin/sh\nbob:x:2001:2002::/home/bob:/bin/sh\n',
    group: 'root:x:0:\nstaff:x:50:ann\nwheel:x:10:ann,bob\nanns:x:1002:\n',
  };
  await engine.docker('create', '--name', 'rf-base', 'busybox');
  for (const [name, text] of Object.entries(accounts)) {
    await writeFile(join(engine.folder, name), text);
    await engine.docker('cp', '-q', join(engine.folder, name), `rf-base:/etc/${name}`);
  }
  await engine.docker('commit', '-c', 'USER ann', 'rf-base', 'rf-users');
  const program = ['ENTRYPOINT ["echo","entry"]', 'CMD ["command"]', 'ENV A=image B=image', 'WORKDIR /made'];
  await engine.docker('commit', ...program.flatMap((line) => ['-c', line]), 'rf-base', 'rf-program');
  await engine.docker('rm', 'rf-base');
}

const refused = (...args: string[]): Promise<string> => engine.fails(125, 'run', '--rm', ...args);
const lines = (text: string): string[] => text.split('\n');

covers('--name', 'names the container, once, and is checked', async () => {
  await engine.docker('run', '-d', '--name', 'rf-name', 'busybox', 'sleep', '1000');
  assert.equal(await engine.inspect('rf-name', '{{.Name}}'), '/rf-name');
  assert.match(
    await engine.fails(125, 'run', '--rm', '--name', 'rf-name', 'busybox'),
    /The container name "\/rf-name" is already in use by container "[0-9a-f]{64}"/,
  );
  await engine.docker('rm', '-f', 'rf-name');
  for (const name of [':bad', 'x']) {
    assert.match(
      await refused('--name', name, 'busybox'),
      new RegExp(
        `Invalid container name \\(${name}\\), only \\[a-zA-Z0-9\\]\\[a-zA-Z0-9_\\.-\\] are allowed`,
      ),
    );
  }
});

covers('--hostname', "is the container's host name, in its hosts file too", async () => {
  const show = 'hostname; cat /proc/sys/kernel/hostname; echo $HOSTNAME; tail -1 /etc/hosts | cut -f2';
  assert.equal(await engine.script(['-h', 'box'], show), 'box\nbox\nbox\nbox');
  assert.equal(
    await engine.script(['--hostname', 'box.example.org'], 'tail -1 /etc/hosts | cut -f2; cat /etc/hostname'),
    'box.example.org box\nbox.example.org',
  );
  assert.match(await refused('-h', 'a'.repeat(80), 'busybox', 'true'), /sethostname: invalid argument/);
  assert.match(
    await refused('-h', 'x', '--network', 'container:rf-none', 'busybox'),
    /conflicting options: hostname and the network mode/,
  );
});

covers('--domainname', 'is the NIS domain and completes the host name', async () => {
  const shown = await engine.script(
    ['--domainname', 'example.org', '-h', 'box'],
    'hostname; hostname -f; cat /proc/sys/kernel/domainname',
  );
  assert.equal(shown, 'box\nbox.example.org\nexample.org');
});

covers('--user', 'by name or number, looked up in the image', async () => {
  const show = 'id; echo $HOME';
  const ann = 'uid=1001(ann) gid=1002(anns) groups=10(wheel),50(staff),1002(anns)\n/home/ann';
  const cases: Record<string, string> = {
    ann,
    1001: ann,
    'ann:': ann,
    'ann:staff': 'uid=1001(ann) gid=50(staff) groups=50(staff)\n/home/ann',
    '1001:50': 'uid=1001(ann) gid=50(staff) groups=50(staff)\n/home/ann',
    'ann:7': 'uid=1001(ann) gid=7 groups=7\n/home/ann',
    '3333:4444': 'uid=3333 gid=4444 groups=4444\n/',
    3333: 'uid=3333 gid=0(root) groups=0(root)\n/',
    ':50': 'uid=0(root) gid=50(staff) groups=50(staff)\n/root',
    0: 'uid=0(root) gid=0(root) groups=0(root)\n/root',
  };
  for (const [user, expected] of Object.entries(cases)) {
    assert.equal(
      await engine.docker('run', '--rm', '-u', user, 'rf-users', 'sh', '-c', show),
      expected,
      user,
    );
  }
  assert.equal(await engine.docker('run', '--rm', 'rf-users', 'sh', '-c', show), ann);
  const range = /uids and gids must be in range 0-2147483647/;
  assert.match(await refused('--user', '2147483648', 'rf-users', 'id'), range);
  assert.match(await refused('--user=-1', 'rf-users', 'id'), range);
  assert.match(
    await refused('--user', 'nobody', 'rf-users', 'id'),
    /unable to find user nobody: no matching entries in passwd file/,
  );
  assert.match(
    await refused('--user', 'ann:none', 'rf-users', 'id'),
    /unable to find group none: no matching entries in group file/,
  );
});

covers('--group-add', 'by name or number', async () => {
  assert.equal(
    await engine.docker(
      'run',
      '--rm',
      '--group-add',
      'staff',
      '--group-add',
      '999',
      '-u',
      '3333',
      'rf-users',
      'id',
    ),
    'uid=3333 gid=0(root) groups=0(root),50(staff),999',
  );
  assert.match(
    await refused('--group-add', 'none', 'rf-users', 'id'),
    /unable to find group none: no matching entries in group file/,
  );
});

covers('--workdir', 'is made, for root, when it is missing', async () => {
  const show = 'pwd; stat -c %u:%g:%a .';
  assert.equal(await engine.script(['-w', '/new/place'], show), '/new/place\n0:0:755');
  assert.equal(await engine.script(['-u', '1001', '--workdir', '/new/place'], show), '/new/place\n0:0:755');
  assert.equal(await engine.docker('run', '--rm', '--entrypoint', 'pwd', 'rf-program'), '/made');
  assert.match(
    await refused('-w', 'relative', 'busybox', 'true'),
    /the working directory 'relative' is invalid, it needs to be an absolute path/,
  );
  assert.match(
    await refused('-w', '/bin/busybox', 'busybox', 'true'),
    /Cannot mkdir: \/bin\/busybox is not a directory/,
  );
});

covers('--entrypoint', 'takes the place of the image’s, and its command goes too', async () => {
  const run = (...args: string[]): Promise<string> => engine.docker('run', '--rm', ...args);
  assert.equal(await run('rf-program'), 'entry command');
  assert.equal(await run('rf-program', 'x', 'y'), 'entry x y');
  assert.equal(await run('--entrypoint', '/bin/echo', 'rf-program'), '');
  assert.equal(await run('--entrypoint', '/bin/echo', 'rf-program', 'z'), 'z');
  assert.equal(await run('--entrypoint', '', 'rf-program', 'echo', 'z'), 'z');
  assert.match(await refused('--entrypoint', '', 'rf-program'), /no command specified/);
  assert.match(
    await engine.fails(127, 'run', '--rm', '--entrypoint', 'nothing', 'rf-program'),
    /exec: "nothing": executable file not found in \$PATH/,
  );
});

covers('--env --env-file', 'the command line wins over the file, the file over the image', async () => {
  const file = join(engine.folder, 'variables');
  await writeFile(file, '# a comment\nE=1\nOWN\n  G=x y \nA=file\n\n');
  const flags = [
    'run',
    '--rm',
    '--env-file',
    file,
    '-e',
    'A=flag',
    '-e',
    'CLIENT',
    '-e',
    'EMPTY=',
    '-e',
    'B',
  ];
  const env = { OWN: 'own', CLIENT: 'from here' };
  const expected = [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOSTNAME=box',
    'E=1',
    'OWN=own',
    'G=x y ',
    'A=flag',
    'CLIENT=from here',
    'EMPTY=',
    'HOME=/root',
  ];
  for (const client of [engine.try, wharf(engine)]) {
    const { stdout } = await client([...flags, '-h', 'box', '--entrypoint', 'env', 'rf-program'], { env });
    assert.deepEqual(lines(stdout.trimEnd()).sort(), expected.toSorted());
  }
  assert.deepEqual(
    lines(
      await engine.docker(
        'run',
        '--rm',
        '-e',
        'HOSTNAME=a',
        '-e',
        'PATH=/bin',
        '-e',
        'HOME=/h',
        'busybox',
        'env',
      ),
    ),
    ['PATH=/bin', 'HOSTNAME=a', 'HOME=/h'],
  );
  for (const [text, why] of [
    ['a b=1\n', /variable 'a b' contains whitespaces/],
    ['=1\n', /no variable name on line '=1'/],
  ] as const) {
    await writeFile(file, text);
    for (const client of [engine.try, wharf(engine)]) {
      const { code, stderr } = await client(['run', '--rm', '--env-file', file, 'busybox', 'true']);
      assert.equal(code, 125);
      assert.match(stderr, why);
    }
  }
  assert.match(await refused('-e', '=x', 'busybox'), /invalid environment variable: =x/);
});

covers('--label --label-file', 'labels of the command line win over those of the file', async () => {
  const file = join(engine.folder, 'labels');
  await writeFile(file, 'one=file\n# a comment\nthree=a=b\n');
  const flags = ['create', '--label-file', file, '-l', 'one=flag', '--label', 'four', 'busybox'];
  for (const client of [engine.try, wharf(engine)]) {
    const { stdout } = await client(flags);
    assert.deepEqual(JSON.parse(await engine.inspect(stdout.trim(), '{{json .Config.Labels}}')), {
      one: 'flag',
      three: 'a=b',
      four: '',
    });
    await engine.docker('rm', stdout.trim());
  }
  assert.match(await refused('-l', '=x', 'busybox'), /invalid label '=x': empty name/);
  assert.match(await refused('--label-file', '/none', 'busybox'), /open \/none: no such file or directory/);
});

covers('--cidfile', 'holds the id, must be new, and goes with a failure', async () => {
  const file = join(engine.folder, 'id');
  for (const [name, client] of [
    ['docker', engine.try],
    ['wharf', wharf(engine)],
  ] as const) {
    const path = `${file}-${name}`;
    const { stdout } = await client(['create', '--cidfile', path, 'busybox']);
    assert.equal(await readFile(path, 'utf8'), stdout.trim());
    await engine.docker('rm', stdout.trim());
    const again = await client(['run', '--rm', '--cidfile', path, 'busybox', 'true']);
    assert.equal(again.code, 125);
    assert.match(
      again.stderr,
      /container ID file found, make sure the other container isn't running or delete/,
    );
    const failed = await client(['run', '--rm', '--cidfile', `${path}-2`, '-w', 'relative', 'busybox']);
    assert.equal(failed.code, 125);
    await assert.rejects(readFile(`${path}-2`), { code: 'ENOENT' });
  }
});
