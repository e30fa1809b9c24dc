import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { Engine } from '../docker-cli/engine.ts';
import { covers, wharf } from './covers.ts';

let engine: Engine;
before(async () => (engine = await Engine.start()));
after(() => engine[Symbol.asyncDispose]());

const refused = (...flags: string[]): Promise<string> =>
  engine.fails(125, 'run', '--rm', ...flags, 'busybox', 'true');
const status = (name: string): string => `grep ^${name}: /proc/self/status | cut -f2`;
const effective = status('CapEff');

covers('--cap-add --cap-drop', 'change what root may do', async () => {
  assert.equal(await engine.script(['--cap-drop', 'ALL'], effective), '0000000000000000');
  const chown = ['--cap-drop', 'all', '--cap-add', 'chown', '--cap-add', 'CAP_KILL'];
  assert.equal(await engine.script(chown, effective), '0000000000000021');
  assert.equal(await engine.script(['--cap-drop', 'CHOWN'], 'chown 1 /tmp 2>&1 | grep -c permitted'), '1');
  const mounting = 'mount -t tmpfs none /tmp 2>/dev/null && echo mounted; true';
  assert.equal(await engine.script([], mounting), '');
  assert.equal(
    await engine.script(['--cap-add', 'SYS_ADMIN', '--security-opt', 'apparmor=unconfined'], mounting),
    'mounted',
  );
  const { stdout } = await wharf(engine)([
    'run',
    '--rm',
    '--cap-drop',
    'ALL',
    '--cap-add',
    'KILL',
    'busybox',
    'sh',
    '-c',
    effective,
  ]);
  assert.equal(stdout, '0000000000000020\n');
  assert.match(await refused('--cap-add', 'NONSENSE'), /invalid CapAdd: unknown capability: "CAP_NONSENSE"/);
  const bounding = /^CapBnd:\t(\S+)/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '';
  // CAP_SYS_RESOURCE: a host may keep it from its engine.
  if (((BigInt(`0x${bounding}`) >> 24n) & 1n) === 0n) {
    const why = /not available in the current environment: "CAP_SYS_RESOURCE"/;
    assert.match(await refused('--cap-add', 'SYS_RESOURCE'), why);
  }
  assert.match(
    await refused('--cap-drop', 'NONSENSE'),
    /invalid CapDrop: unknown capability: "CAP_NONSENSE"/,
  );
});

covers('--privileged', 'lifts seccomp, masks and the read-only mounts', async () => {
  const script = `${status('Seccomp')}; grep -c ' /proc/.* ro' /proc/mounts; grep -c ' /proc/timer_list ' /proc/mounts; mount -t tmpfs none /tmp && echo mounted`;
  assert.equal(await engine.script(['--privileged'], script), '0\n0\n0\nmounted');
  assert.match(await engine.script([], `${script} 2>/dev/null; true`), /^2\n[1-9]\d*\n1$/);
});

covers('--read-only', 'leaves only the mounts writable', async () => {
  const script = 'touch /file 2>&1 | grep -o "Read-only.*"; touch /mine/file /dev/shm/file && echo mounts';
  assert.equal(
    await engine.script(['--read-only', '--tmpfs', '/mine'], script),
    'Read-only file system\nmounts',
  );
  assert.match(
    (await wharf(engine)(['run', '--rm', '--read-only', 'busybox', 'touch', '/x'])).stderr,
    /Read-only file system/,
  );
});

covers('--security-opt', 'no-new-privileges holds for the container', async () => {
  const show = status('NoNewPrivs');
  assert.equal(await engine.script(['--security-opt', 'no-new-privileges'], show), '1');
  assert.equal(await engine.script(['--security-opt', 'no-new-privileges:false'], show), '0');
  assert.match(await refused('--security-opt', 'no-new-privileges=x'), /invalid --security-opt 2/);
});

covers('--security-opt', "seccomp is Docker's filter, none or one's own", async () => {
  const show = status('Seccomp');
  assert.equal(await engine.script([], show), '2');
  assert.equal(await engine.script(['--security-opt', 'seccomp=unconfined'], show), '0');
  assert.equal(await engine.script(['--security-opt', 'seccomp=builtin'], show), '2');
  const profile = join(engine.folder, 'profile.json');
  const denied = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 };
  await writeFile(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [denied] }));
  const own = ['--security-opt', `seccomp=${profile}`];
  const script = 'mkdir /x 2>&1 | grep -o "Function not implemented"; touch /y && echo touched';
  for (const more of [[], ['--privileged']])
    assert.equal(await engine.script([...own, ...more], script), 'Function not implemented\ntouched');
  assert.match(await refused('--security-opt', 'seccomp=/none'), /opening seccomp profile \(\/none\) failed/);
});

covers('--security-opt', 'systempaths=unconfined shows and lets write what is otherwise masked', async () => {
  const script = 'grep -c -E " /proc/(timer_list|sys) " /proc/mounts; true';
  assert.equal(await engine.script([], script), '2');
  assert.equal(await engine.script(['--security-opt', 'systempaths=unconfined'], script), '0');
});

covers(
  '--security-opt',
  'of a kind this host lacks is discarded by name, an unknown one refused',
  async () => {
    assert.equal(await engine.script(['--security-opt', 'apparmor=unconfined'], 'echo ran'), 'ran');
    assert.equal(await engine.script(['--security-opt', 'label=disable'], 'echo ran'), 'ran');
    const { code, stderr } = await engine.try([
      'run',
      '--rm',
      '--security-opt',
      'label=type:web_t',
      'busybox',
      'true',
    ]);
    assert.equal(code, 0);
    if (engine.daemon) assert.match(stderr, /SELinux is not supported by this engine: labels are discarded/);
    assert.match(await refused('--security-opt', 'nonsense=1'), /invalid --security-opt 2: "nonsense=1"/);
  },
);

covers('--security-opt', 'writable-cgroups lets the container have groups of its own', async () => {
  const script = "grep -E ' /sys/fs/cgroup(/memory)? ' /proc/mounts | tail -1 | cut -d' ' -f4 | cut -c1-2";
  assert.equal(await engine.script([], script), 'ro');
  assert.equal(await engine.script(['--security-opt', 'writable-cgroups=true'], script), 'rw');
});

covers('--security-opt', 'aside, the API names the paths to mask and to protect', async () => {
  if (!engine.daemon) return;
  const script = 'cat /etc/passwd; ls /home | wc -l; touch /tmp/x 2>&1; touch /proc/sys/kernel/x 2>&1';
  const body = {
    Image: 'busybox',
    Cmd: ['sh', '-c', `${script}; true`],
    HostConfig: { MaskedPaths: ['/etc/passwd', '/home'], ReadonlyPaths: ['/tmp'] },
  };
  const { status } = await engine.daemon.call('POST', '/containers/create?name=paths', body);
  assert.equal(status, 201);
  const [files, tmp, sys] = (await engine.docker('start', '-a', 'paths')).split('\n');
  assert.equal(files, '0');
  assert.match(tmp ?? '', /Read-only file system/);
  // What is given replaces the engine's own list.
  assert.doesNotMatch(sys ?? '', /Read-only file system/);
  await engine.docker('rm', 'paths');
});
