import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { busyboxImage, eventually, writeArchive } from '../../setup/index.ts';
import { Engine } from '../docker-cli/engine.ts';
import { covers, wharf } from './covers.ts';

let engine: Engine;
/** Holds a script that notes its arguments and calls crun. */
let programs: string;
before(async () => {
  programs = await mkdtemp(join(tmpdir(), 'wharf-runtimes-'));
  const path = join(programs, 'noting');
  await writeFile(path, `#!/bin/sh\necho "$@" >>${path}.log\nexec crun "$@"\n`);
  await chmod(path, 0o755);
  engine = await Engine.start({ config: { runtimes: { noting: { path, runtimeArgs: ['--debug'] } } } });
});
after(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(programs, { recursive: true, force: true });
});

const reference = process.env['WHARF_TEST_HOST'] !== undefined;
const ours = { skip: reference ? 'needs a daemon of its own' : (false as const) };
/** The reference engine's packages on this machine lack docker-init. */
const init = { skip: reference ? 'docker-init is missing there' : (false as const) };
const refused = (...flags: string[]): Promise<string> =>
  engine.fails(125, 'run', '--rm', ...flags, 'busybox', 'true');
const own = (kind: string): string => `readlink /proc/self/ns/${kind}`;
const sleeper = (name: string, ...flags: string[]): Promise<string> =>
  engine.docker('run', '-d', '--name', name, ...flags, 'busybox', 'sleep', '1000');

covers('--pid', "is the host's namespace, another container's or one of its own", async () => {
  assert.equal(await engine.script([], 'echo $$'), '1');
  const shown = await engine.script(['--pid', 'host'], own('pid'));
  if (!reference) assert.equal(shown, await readlink('/proc/self/ns/pid'));
  await sleeper('owner');
  const ps = "ps -o args | grep -c '^sleep 1000'";
  assert.equal(await engine.script(['--pid', 'container:owner'], ps), '1');
  await engine.docker('rm', '-f', 'owner');
  assert.match(await refused('--pid', 'container:none-such'), /No such container: none-such/);
  const { stdout } = await wharf(engine)(['run', '--rm', '--pid=host', 'busybox', 'sh', '-c', own('pid')]);
  assert.equal(stdout.trim(), shown);
});

covers('--ipc', 'is none, private, shareable, of the host or of another container', async () => {
  const shown = await engine.script(['--ipc', 'host'], own('ipc'));
  if (!reference) assert.equal(shown, await readlink('/proc/self/ns/ipc'));
  await sleeper('owner', '--ipc', 'shareable');
  await engine.docker('exec', 'owner', 'sh', '-c', 'echo word >/dev/shm/file');
  const joined = await engine.script(['--ipc', 'container:owner'], `cat /dev/shm/file; ${own('ipc')}`);
  assert.equal(joined, `word\n${await engine.docker('exec', 'owner', 'readlink', '/proc/self/ns/ipc')}`);
  assert.equal(await engine.script(['--ipc', 'none'], 'grep -c " /dev/shm " /proc/mounts; true'), '0');
  await sleeper('alone', '--ipc', 'private');
  assert.match(await refused('--ipc', 'container:alone'), /non-shareable IPC/);
  assert.match(await refused('--ipc', 'container:none-such'), /No such container: none-such/);
  await engine.docker('rm', '-f', 'owner', 'alone');
});

covers('--uts', "shares the host's name", async () => {
  const shown = await engine.script(['--uts', 'host'], `hostname; ${own('uts')}`);
  if (!reference) assert.equal(shown, `${hostname()}\n${await readlink('/proc/self/ns/uts')}`);
  assert.match(
    await refused('--uts', 'host', '--hostname', 'other'),
    /conflicting options: hostname and the UTS/,
  );
  assert.match(
    await refused('--uts', 'host', '--domainname', 'd'),
    /sysctl "kernel.domainname" is not in a sep/,
  );
});

covers('--userns', "is the host's, in which every container is", async () => {
  const shown = await engine.script(
    ['--userns', 'host'],
    `${own('user')}; cat /proc/self/uid_map | tr -s ' '`,
  );
  if (!reference) {
    const map = (await readFile('/proc/self/uid_map', 'utf8')).replaceAll(/ +/g, ' ').trimEnd();
    assert.equal(shown, `${await readlink('/proc/self/ns/user')}\n${map}`);
  }
  assert.match(await refused('--userns', 'container:x'), /invalid USER mode|invalid user namespace mode/);
});

covers('--cgroupns', 'hides or shows where the control group lies', async () => {
  const groups = 'cut -d: -f3 /proc/self/cgroup | sort -u';
  assert.equal(await engine.script(['--cgroupns', 'private'], groups), '/');
  assert.match(await engine.script(['--cgroupns', 'host'], groups), /\/[0-9a-f]{64}$/);
  assert.match(await refused('--cgroupns', 'odd'), /invalid CGROUP mode/);
});

covers('--sysctl', 'sets parameters of the namespaces, and none of the host', async () => {
  const flags = ['--sysctl', 'net.ipv4.ip_forward=0', '--sysctl', 'kernel.msgmax=1234'];
  const files = '/proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max';
  assert.equal(
    await engine.script([...flags, '--sysctl', 'fs.mqueue.msg_max=13'], `cat ${files}`),
    '0\n1234\n13',
  );
  assert.match(
    await refused('--network', 'host', '--sysctl', 'net.ipv4.ip_forward=0'),
    /sysctl "net.ipv4.ip_forward" not allowed in host network namespace/,
  );
  assert.match(
    await refused('--ipc', 'host', '--sysctl', 'kernel.shmmax=1'),
    /sysctl "kernel.shmmax" is not allowed in the hosts ipc namespace/,
  );
  assert.match(await refused('--sysctl', 'vm.swappiness=1'), /sysctl 'vm.swappiness=1' is not allowed/);
});

covers('--isolation', "is only 'default' on Linux", async () => {
  assert.equal(await engine.script(['--isolation', 'default'], 'echo ran'), 'ran');
  assert.match(
    await refused('--isolation', 'hyperv'),
    /invalid isolation \(hyperv\): linux only supports 'default'/,
  );
});

covers(
  '--init',
  'puts an init in front that takes in orphans and passes signals on',
  async () => {
    const zombies = (name: string): Promise<string> =>
      engine.docker('exec', name, 'sh', '-c', 'ps -o stat | grep -c ^Z; true');
    await sleeper('bare');
    await sleeper('with', '--init');
    for (const name of ['bare', 'with']) await engine.docker('exec', name, 'sh', '-c', '(sleep 0.1 &)');
    await eventually(async () => (await zombies('bare')) === '1', { what: 'an orphan without a reaper' });
    await eventually(async () => (await zombies('with')) === '0', { what: 'the orphan to be reaped' });
    assert.match(await engine.docker('exec', 'with', 'cat', '/proc/1/comm'), /tini|init|catatonit/);
    await engine.docker('stop', '-t', '20', 'with');
    assert.equal(await engine.inspect('with', '{{.State.ExitCode}}'), '143');
    await engine.docker('rm', '-f', 'with', 'bare');
    assert.equal((await wharf(engine)(['run', '--rm', '--init', 'busybox', 'sh', '-c', 'exit 9'])).code, 9);
  },
  init,
);

covers(
  '--runtime',
  'chooses among crun, runc and those of daemon.json',
  async () => {
    await sleeper('runc', '--runtime', 'runc');
    const id = await engine.inspect('runc', '{{.Id}}');
    const state = join(engine.daemon?.runFolder ?? '', 'oci', id);
    // Each keeps its own kind of state.
    assert.ok((await readdir(state)).includes('state.json'));
    // Confined by either, which are told of the filter in ways of their own.
    const filter = ['grep', '^Seccomp:', '/proc/self/status'];
    assert.equal(await engine.docker('exec', 'runc', ...filter), 'Seccomp:\t2');
    assert.equal(
      await engine.docker('run', '--rm', '--runtime', 'crun', 'busybox', ...filter),
      'Seccomp:\t2',
    );
    await engine.docker('rm', '-f', 'runc');
    await sleeper('noted', '--runtime', 'noting');
    assert.equal(await engine.docker('exec', 'noted', 'echo', 'in crun'), 'in crun');
    await engine.docker('rm', '-f', 'noted');
    const calls = (await readFile(join(programs, 'noting.log'), 'utf8')).trim().split('\n');
    assert.deepEqual(
      calls.map((call) => /^--debug --root .* (run|exec|delete) /.exec(call)?.[1]),
      ['run', 'exec'],
    );
    assert.equal(await engine.script(['--runtime', 'io.containerd.runc.v2'], 'echo ran'), 'ran');
    assert.match(await refused('--runtime', 'none'), /unknown or invalid runtime name: none/);
  },
  ours,
);

covers(
  '--platform',
  "refuses an image of another one, warns when the host's is not the image's",
  async () => {
    assert.equal(await engine.script(['--platform', 'linux/amd64'], 'echo ran'), 'ran');
    assert.match(
      await refused('--platform', 'linux/s390x', '--pull', 'never'),
      /image with reference busybox was found but its platform \(linux\/amd64\) does not match the specified platform \(linux\/s390x\)/,
    );
    const image = await busyboxImage();
    const config = { ...(JSON.parse(image.config.toString()) as object), architecture: 's390x' };
    const archive = join(engine.folder, 'foreign.tar');
    const foreign = { ...image, config: Buffer.from(JSON.stringify(config)) };
    await writeArchive(archive, [{ image: foreign, tags: ['flags-foreign:latest'] }]);
    await engine.docker('load', '-q', '-i', archive);
    const { stdout, stderr } = await engine.try(['run', '--rm', 'flags-foreign', 'echo', 'ran']);
    assert.equal(stdout, 'ran\n');
    assert.match(
      stderr,
      /requested image's platform \(linux\/s390x\) does not match the detected host platform \(linux\/amd64\S*\) and no specific platform was requested/,
    );
    await engine.docker('rmi', 'flags-foreign');
  },
);

covers('--annotation', 'reaches the OCI runtime', async () => {
  await sleeper('noted', '--annotation', 'org.example.note=kept');
  const format = '{{index .HostConfig.Annotations "org.example.note"}} {{.Id}}';
  const [value, id = ''] = (await engine.inspect('noted', format)).split(' ');
  assert.equal(value, 'kept');
  if (engine.daemon) {
    const bundle = await readFile(join(engine.daemon.runFolder, 'bundles', id, 'config.json'), 'utf8');
    const { annotations } = JSON.parse(bundle) as { annotations: Record<string, string> };
    assert.equal(annotations['org.example.note'], 'kept');
    // Through these one could hand the runtime hooks and filters.
    assert.match(await refused('--annotation', 'run.oci.hooks=x'), /names under run\.oci\. are reserved/);
  }
  await engine.docker('rm', '-f', 'noted');
});
