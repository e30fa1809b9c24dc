import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { Engine } from '../docker-cli/engine.ts';
import { covers, wharf } from './covers.ts';

let engine: Engine;
/** Files of the Container Device Interface; the reference engine has no such folder. */
let cdi: string;
before(async () => {
  cdi = await mkdtemp(join(tmpdir(), 'wharf-cdi-'));
  engine = await Engine.start({ config: { 'cdi-spec-dirs': [cdi] } });
});
after(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(cdi, { recursive: true, force: true });
});

const ours = {
  skip: process.env['WHARF_TEST_HOST'] === undefined ? (false as const) : 'needs a daemon of its own',
};
/** Which ways of opening a device succeed. */
const opens = (path: string): string =>
  `(: <${path}) 2>/dev/null && echo -n r; (: >${path}) 2>/dev/null && echo -n w; echo`;
/** Makes a node of the first loop device, which no container has by itself, and tries to open it. */
const loop = `mknod /loop b 7 0 && ${opens('/loop')}`;

covers('--device', 'brings a node of the host under its name or another, with its rights', async () => {
  const shown = 'ls -l /dev/here | cut -c1; head -c3 /dev/here | wc -c';
  assert.equal(await engine.script(['--device', '/dev/zero:/dev/here'], shown), 'c\n3');
  const { stdout } = await wharf(engine)([
    'run',
    '--rm',
    '--device',
    '/dev/zero:/dev/here:rm',
    'busybox',
    'sh',
    '-c',
    shown,
  ]);
  assert.equal(stdout, 'c\n3\n');
  assert.equal(await engine.script(['--device', '/dev/loop0:/loop:r'], opens('/loop')), 'r');
  assert.equal(await engine.script(['--device', '/dev/loop0:/loop:w'], opens('/loop')), 'w');
  assert.equal(await engine.script(['--device', '/dev/loop0:/loop'], opens('/loop')), 'rw');
});

covers('--device', 'follows a link, and takes every node below a folder', async () => {
  const link = join(engine.folder, 'link');
  await symlink('/dev/zero', link);
  assert.equal(await engine.script(['--device', `${link}:/dev/linked`], 'head -c2 /dev/linked | wc -c'), '2');
  assert.equal(await engine.script(['--device', '/dev/net:/dev/network'], 'ls /dev/network'), 'tun');
});

covers('--device', 'is refused by name when it is none', async () => {
  const gathering = 'error gathering device information while adding custom device';
  const missing = await engine.fails(127, 'run', '--rm', '--device', '/dev/none', 'busybox');
  assert.ok(missing.includes(`${gathering} "/dev/none": no such file or directory`));
  const file = await engine.fails(125, 'run', '--rm', '--device', '/etc/passwd', 'busybox');
  assert.ok(file.includes(`${gathering} "/etc/passwd": not a device node`));
  assert.match(
    await engine.fails(125, 'run', '--rm', '--device', 'wharf.test/none=0', 'busybox'),
    /CDI device injection failed: unresolvable CDI devices wharf.test\/none=0/,
  );
});

covers(
  '--device',
  'takes a CDI device with its environment, nodes, mounts, groups and hooks',
  async () => {
    const edits = {
      env: ['CDI=yes'],
      deviceNodes: [{ path: '/dev/described', hostPath: '/dev/loop0', permissions: 'r' }],
      mounts: [{ hostPath: '/etc/hostname', containerPath: '/opt/deep/name', options: ['ro'] }],
      hooks: [{ hookName: 'createContainer', path: '/bin/sh', args: ['sh', '-c', `: >${cdi}/hooked`] }],
      additionalGids: [4242],
    };
    const devices = [{ name: 'one', containerEdits: edits }];
    const spec = { cdiVersion: '0.6.0', kind: 'wharf.test/device', devices };
    await writeFile(join(cdi, 'device.json'), JSON.stringify(spec));
    const script = `echo $CDI; ${opens('/dev/described')}; touch /opt/deep/name 2>&1 | grep -c Read-only; id -G`;
    assert.equal(await engine.script(['--device', 'wharf.test/device=one'], script), 'yes\nr\n1\n0 4242');
    assert.ok(existsSync(join(cdi, 'hooked')));
  },
  ours,
);

covers('--gpus', 'is refused by name where there is none', async () => {
  const refused = async (gpus: string): Promise<string> =>
    engine.fails(125, 'run', '--rm', '--gpus', gpus, 'busybox', 'true');
  assert.match(await refused('all'), /could not select device driver "" with capabilities: \[\[gpu\]\]/);
  assert.match(
    await refused('"device=0","capabilities=utility"'),
    /could not select device driver "" with capabilities: \[\[utility gpu\]\]/,
  );
  const { code, stderr } = await wharf(engine)(['run', '--rm', '--gpus', 'all', 'busybox', 'true']);
  assert.equal(code, 125);
  assert.match(stderr, /could not select device driver ""/);
});

covers(
  '--gpus',
  "uses the vendor's CDI file",
  async () => {
    const file = join(cdi, 'gpu.yaml');
    const node = 'containerEdits: {deviceNodes: [{path: /dev/nvidia0, type: c, major: 1, minor: 5}]}';
    await writeFile(file, `cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n- name: all\n  ${node}\n`);
    assert.equal(await engine.script(['--gpus', 'all'], 'head -c2 /dev/nvidia0 | wc -c'), '2');
    await rm(file);
  },
  ours,
);

covers('--device-cgroup-rule', 'allows what its letters say and nothing else', async () => {
  const rule = (...rules: string[]): Promise<string> =>
    engine.script(
      rules.flatMap((text) => ['--device-cgroup-rule', text]),
      loop,
    );
  assert.equal(await engine.script([], loop), '');
  assert.equal(await rule('b 7:0 r'), 'r');
  assert.equal(await rule('b 7:* w'), 'w');
  assert.equal(await rule('b *:0 rwm'), 'rw');
  assert.equal(await rule('b 7:0 m'), '');
  assert.equal(await rule('c 7:0 rwm', 'b 7:1 rwm'), '');
  assert.equal(await rule('a *:* rwm'), 'rw');
  assert.match(
    await engine.fails(125, 'run', '--rm', '--device-cgroup-rule', 'x 1:1 r', 'busybox'),
    /invalid device cgroup format 'x 1:1 r'/,
  );
});

covers('--privileged', 'gives every device of the host, and /sys to write', async () => {
  const script = `ls /dev | grep -c -E '^(kmsg|loop0|fuse)$'; ${loop}; grep ' /sys ' /proc/mounts | cut -d' ' -f4 | cut -c1-2`;
  assert.equal(await engine.script(['--privileged'], script), '3\nrw\nrw');
  assert.equal(await engine.script([], script), '0\n\nro');
  const renamed = ['--privileged', '--device', '/dev/zero:/dev/here'];
  assert.equal(await engine.script(renamed, 'ls /dev/here /dev/kmsg'), '/dev/here\n/dev/kmsg');
});

covers('--use-api-socket', "brings the engine's socket in, or says that there is none", async () => {
  const flags = ['run', '--rm', '--use-api-socket', 'busybox', 'ls', '/var/run/docker.sock'];
  const { code, stdout, stderr } = await engine.try(flags);
  // The client names the default socket, whatever engine it talks to.
  if (existsSync('/var/run/docker.sock'))
    assert.deepEqual([code, stdout.trim()], [0, '/var/run/docker.sock']);
  else assert.match(stderr, /bind source path does not exist: \/var\/run\/docker.sock/);
  if (!engine.daemon) return;
  const script = 'test -S /var/run/docker.sock && echo socket';
  const own = await wharf(engine)(['run', '--rm', '--use-api-socket', 'busybox', 'sh', '-c', script]);
  assert.deepEqual([own.stdout, own.stderr, own.code], ['socket\n', '', 0]);
});
