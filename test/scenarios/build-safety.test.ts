import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, rmdir, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { FakeRegistry, sendError } from '../../src/registry/client/testing/fake-registry.ts';
import { askCall } from '../builds/ask-call.ts';
import { readCallAnswers } from '../builds/call-golden.ts';
import {
  answerOf,
  arrivingFiles,
  busyboxArchive,
  command,
  dockerProgram,
  eventually,
  startDaemon,
  succeed,
  wharfProgram,
  type CommandResult,
  type Daemon,
} from '../setup/index.ts';

let daemon: Daemon;
let folder: string;
let cdi: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wharf-test-safety-'));
  cdi = join(folder, 'cdi');
  await mkdir(cdi);
  daemon = await startDaemon({
    config: { 'cdi-spec-dirs': [cdi], builder: { entitlements: { 'security-insecure': true } } },
  });
  await answerOf(daemon.docker, ['load', '-i', await busyboxArchive()]);
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const legacy = { DOCKER_BUILDKIT: '0' };

/** A context with one Dockerfile, behind FROM busybox. */
async function context(name: string, ...rows: readonly string[]): Promise<string> {
  const root = join(folder, name);
  await mkdir(root, { recursive: true });
  await writeFile(join(root, 'Dockerfile'), ['FROM busybox', ...rows, ''].join('\n'));
  return root;
}

const build = (root: string, ...flags: string[]): Promise<CommandResult> =>
  daemon.docker(['buildx', 'build', '--progress', 'plain', '--no-cache', ...flags, root]);

const legacyBuild = (root: string, ...flags: string[]): Promise<CommandResult> =>
  daemon.docker(['build', '--no-cache', ...flags, root], { env: legacy });

async function built(building: Promise<CommandResult>): Promise<string> {
  const { code, stdout, stderr } = await building;
  assert.equal(code, 0, stdout + stderr);
  return stdout + stderr;
}

async function refused(building: Promise<CommandResult>, message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await building;
  assert.notEqual(code, 0);
  assert.match(stdout + stderr, message);
}

test('questions about a Dockerfile are answered as the reference answers them', async () => {
  for (const { dockerfile, call, json, text, code } of readCallAnswers().slice(0, 3)) {
    const answer = await askCall(daemon.docker, dockerfile, call);
    assert.deepEqual(answer, { dockerfile, call, json, text, code });
  }
});

test('secrets are in memory while a command runs, and nowhere afterwards', async () => {
  const secret = 'f00dcafe-0dd-5ecret';
  await writeFile(join(folder, 'secret'), secret);
  const root = await context(
    'secrets',
    'RUN --mount=type=secret,id=s,mode=0440,uid=7,gid=8 ls -ln /run/secrets && mount | grep /run/secrets',
    'RUN --mount=type=secret,id=s,env=TOKEN --mount=type=secret,id=none,env=OTHER test "$TOKEN" = ' +
      `"$(echo ${secret.replace('-', "'-'")})" && test -z "$OTHER"`,
    'RUN --mount=type=secret,id=s,target=/etc/token grep -q cafe /etc/token',
  );
  const output = await built(build(root, '-t', 'secrets', '--secret', `id=s,src=${join(folder, 'secret')}`));
  assert.match(output, /-r--r----- +1 7 +8 +19 .* s\n/);
  assert.match(output, /tmpfs on \/run\/secrets\/s type tmpfs \(ro/);
  assert.match(await answerOf(daemon.docker, ['run', '--rm', 'secrets', 'ls', '/etc']), /^(?!.*token)/s);
  for (const place of [daemon.dataRoot, daemon.runFolder]) {
    const { stdout } = await command('grep', ['-rlaF', '--devices=skip', secret, place]);
    assert.equal(stdout, '', 'a secret is on the disk');
  }
  assert.doesNotMatch(await daemon.log(), /cafe/);
  await refused(
    build(await context('no-secret', 'RUN --mount=type=secret,id=x,required true')),
    /secret x: not found/,
  );
});

/** A program of the host with the libraries that it needs, as a tree. */
async function copyProgram(path: string, root: string): Promise<void> {
  const libraries = (await succeed('ldd', [path])).matchAll(/(\/\S+) \(0x/g);
  for (const file of [path, ...Array.from(libraries, ([, library = '']) => library)]) {
    await mkdir(join(root, dirname(file)), { recursive: true });
    await cp(file, join(root, file), { dereference: true });
  }
}

test('a command uses the SSH agent of the client, and gets no more than that', async () => {
  const key = join(folder, 'key');
  await succeed('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'of the client', '-f', key]);
  const root = await context(
    'ssh',
    'COPY root /',
    'RUN --mount=type=ssh,mode=0666,uid=5 ls -ln $SSH_AUTH_SOCK && /usr/bin/ssh-add -l',
    'RUN --mount=type=ssh --mount=type=ssh,id=other,target=/tmp/agent SSH_AUTH_SOCK=/tmp/agent /usr/bin/ssh-add -l',
    'RUN test ! -e /run/buildkit && test ! -e /tmp/agent',
  );
  await copyProgram('/usr/bin/ssh-add', join(root, 'root'));
  const output = await built(build(root, '--ssh', `default=${key}`, '--ssh', `other=${key}`));
  assert.match(output, /srw-rw-rw- +1 5 +0 .* \/run\/buildkit\/ssh_agent\.0/);
  assert.equal(output.match(/256 SHA256:\S+ .*\(ED25519\)/g)?.length, 2, output);
  const without = await context('no-ssh', 'RUN --mount=type=ssh test ! -e $SSH_AUTH_SOCK');
  await built(build(without));
  await refused(
    build(await context('must-ssh', 'RUN --mount=type=ssh,required true')),
    /unset ssh forward key default/,
  );
});

test('what goes beyond a sandbox is granted by client and configuration, or refused', async () => {
  const host = await context('host-network', 'RUN --network=host ip link');
  await refused(build(host), /failed to load LLB: network\.host is not allowed/);
  await built(build(host, '--allow', 'network.host'));
  const insecure = await context('insecure', 'RUN --security=insecure grep CapEff /proc/self/status');
  await refused(build(insecure), /failed to load LLB: security\.insecure is not allowed/);
  const { stdout, stderr } = await build(insecure, '--allow', 'security.insecure');
  assert.doesNotMatch(stdout + stderr, /CapEff:\s+00000000a80425fb/);
  const sandboxed = await context('sandboxed', 'RUN grep -E "CapEff|Seccomp:" /proc/self/status; ip link');
  const output = await built(build(sandboxed, '--network', 'none'));
  assert.match(output, /CapEff:\s+00000000a80425fb/);
  assert.match(output, /Seccomp:\s+2/);
  assert.doesNotMatch(output, /eth0/);
  await refused(legacyBuild(insecure), /security\.insecure is not allowed/);
});

/** What a program may not do, or may, with how that ended; then what it sees. */
const attacks = `
try() { "$@" >/dev/null 2>&1; echo "$*: $?"; }
try mount -t tmpfs x /mnt
try umount /proc
try mknod /tmp/disk b 8 0
try dd if=/tmp/disk of=/dev/null count=1
try unshare -m true
try unshare -U true
try unshare -n true
try hostname other
try dmesg
try dd if=/proc/kcore of=/dev/null count=1
try touch /sys/kernel/x
try sh -c 'echo 1 >/proc/sys/vm/drop_caches'
try sh -c 'echo c >/proc/sysrq-trigger'
try ip link set lo down
try chroot / true
try cat /proc/1/root/etc/shadow
try mount -o remount,rw /sys
try kill -9 2
grep -E '^(Cap...|Seccomp|NoNewPrivs):' /proc/self/status
test $(ls /proc | grep -c '^[1-9]') -lt 9 && echo few processes
ls /dev
mount | cut -d' ' -f3,5 | grep -v '^/etc' | sort
`;

test('commands of builds are confined as containers are', async () => {
  const root = await context('attacks', 'COPY attacks.sh /', 'RUN ["sh", "/attacks.sh"]');
  await writeFile(join(root, 'attacks.sh'), attacks);
  const script = ['run', '--rm', '-v', `${root}/attacks.sh:/attacks.sh:ro`, 'busybox', 'sh', '/attacks.sh'];
  const inContainer = (await answerOf(daemon.docker, script)).split('\n');
  const output = (await built(build(root))).replace(/^#\d+ \d+\.\d+ /gm, '').split('\n');
  const begin = output.findIndex((line) => line.startsWith('mount -t tmpfs'));
  const own = inContainer.filter((line) => !line.startsWith('/attacks.sh '));
  assert.deepEqual(output.slice(begin, begin + own.length), own);
  assert.ok(own.includes('mount -t tmpfs x /mnt: 1') && own.includes('unshare -U true: 1'), own.join('\n'));
});

test('a command gets the devices of CDI files that it asks for', async () => {
  const device = {
    cdiVersion: '0.6.0',
    kind: 'example.com/toy',
    devices: [
      {
        name: 'one',
        containerEdits: { env: ['TOY=1'], deviceNodes: [{ path: '/dev/toy', hostPath: '/dev/null' }] },
      },
    ],
  };
  await writeFile(join(cdi, 'toy.json'), JSON.stringify(device));
  const root = await context(
    'device',
    'RUN --device=example.com/toy=one test -c /dev/toy && test "$TOY" = 1',
  );
  await refused(build(root), /device example\.com\/toy=one is not allowed/);
  await built(build(root, '--allow', 'device'));
  await built(build(root, '--allow', 'device=example.com/toy=one'));
  const missing = await context('no-device', 'RUN --device=example.com/none=x true');
  await built(build(missing, '--allow', 'device'));
  const required = await context('must-device', 'RUN --device=example.com/none=x,required true');
  await refused(
    build(required, '--allow', 'device'),
    /required device "example\.com\/none=x" is not registered/,
  );
});

/** A parent of cgroups that somebody names stays when what was in it is gone. */
async function removeCgroups(name: string): Promise<void> {
  for (const hierarchy of ['', ...(await readdir('/sys/fs/cgroup'))]) {
    await rmdir(join('/sys/fs/cgroup', hierarchy, name)).catch(() => undefined);
  }
}

test('limits hold for the commands of both kinds of clients, and tell nothing of themselves', async () => {
  const seen = 'df -k /dev/shm | tail -1; echo files $(ulimit -n); cat /etc/hosts /proc/self/cgroup';
  const root = await context('limits', `RUN ${seen}`);
  const parent = `wharf-test-${daemon.instance}`;
  await using made = new AsyncDisposableStack();
  made.defer(() => removeCgroups(parent));
  const flags = ['--ulimit', 'nofile=100:200', '--shm-size', '32m', '--cgroup-parent', parent];
  const hosts = ['--add-host', 'db:10.1.2.3', '--add-host', 'me:host-gateway', '--add-host', 'six:[::1]'];
  const since = Date.now() / 1000;
  const limits = ['--memory', '64m', '--memory-swap', '64m', '--cpu-shares', '100', '--cpuset-cpus', '0'];
  const outputs = [
    await built(build(root, ...flags, ...hosts)),
    await built(legacyBuild(root, ...flags, ...hosts, ...limits)),
  ];
  for (const output of outputs) {
    assert.match(output, /32768 /);
    assert.match(output, /files 100\n/);
    assert.match(output, /10\.1\.2\.3\s+db/);
    assert.match(output, /\d+\.\d+\.\d+\.1\s+me\n/);
    assert.match(output, /::1\s+six/);
    assert.ok(output.includes(`/${parent}/`), output);
  }
  const { body } = await daemon.get(`/events?since=${since}&until=${Date.now() / 1000}`);
  assert.doesNotMatch(body, /"Type":"(?:container|network)"/);
  const own = await context(
    'cgroup',
    'RUN cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max || true',
  );
  assert.match(await built(legacyBuild(own, ...limits)), /\n67108864\n/);
  await refused(legacyBuild(own, '--memory', '1m'), /Minimum memory limit allowed is 6MB/);
});

test('a key that lands in a layer is warned of, each time and once', async () => {
  const root = await context(
    'keys',
    'COPY . /app',
    "RUN mkdir /k && echo '//r/:_authToken=abc' > /k/.npmrc",
    'RUN rm -r /k',
  );
  await writeFile(join(root, 'id_rsa'), '-----BEGIN RSA PRIVATE KEY-----\n');
  await writeFile(join(root, '.env.example'), 'TOKEN=none\n');
  const warned = [
    'SecretInLayer: /app/id_rsa looks like a private key, and is in a layer of the image (line 2)',
    'SecretInLayer: /k/.npmrc looks like a token of npm, and is in a layer of the image (line 3)',
  ];
  for (const building of [
    daemon.docker(['buildx', 'build', '--progress', 'plain', root]),
    daemon.docker(['build', root], { env: legacy }),
  ]) {
    const found = (await built(building)).match(/SecretInLayer: [^\n]*/g) ?? [];
    assert.deepEqual([...new Set(found)].sort(), warned);
  }
  await writeFile(join(root, '.dockerignore'), 'id_rsa\n');
  assert.doesNotMatch(await built(build(root)), /id_rsa looks/);
});

test('credentials of a registry stay with the client, which gets the tokens', async () => {
  await using registry = await FakeRegistry.open();
  const agents: string[] = [];
  registry.intercept = (request, response, url) => {
    if (url.pathname === '/token') {
      agents.push(request.headers['user-agent'] ?? '');
      response.writeHead(200).end(JSON.stringify({ token: 'good', access_token: 'good', expires_in: 300 }));
      return true;
    }
    // The password itself is taken from nobody.
    if (request.headers.authorization === 'Bearer good') return false;
    const challenge = `Bearer realm="http://${registry.host}/token",service="fake"`;
    return sendError(response, 401, 'UNAUTHORIZED', 'no', { 'www-authenticate': challenge });
  };
  const config = join(folder, 'config');
  await cp(daemon.env['DOCKER_CONFIG']!, config, { recursive: true });
  const settings = JSON.parse(
    await readFile(join(config, 'config.json'), 'utf8').catch(() => '{}'),
  ) as object;
  const auth = Buffer.from('bob:secret').toString('base64');
  await writeFile(
    join(config, 'config.json'),
    JSON.stringify({ ...settings, auths: { [registry.host]: { auth } } }),
  );
  const root = await context('private');
  await writeFile(join(root, 'Dockerfile'), `FROM ${registry.host}/none:1\n`);
  const env = { DOCKER_CONFIG: config };
  for (const [client, args] of [
    [daemon.docker, ['buildx', 'build', root]],
    [daemon.wharf, ['build', root]],
  ] as const) {
    const before = agents.length;
    const { stderr } = await client(args, { env });
    assert.match(stderr, /none:1: not found|manifest unknown/);
    assert.ok(agents.length > before);
  }
  for (const agent of agents) assert.doesNotMatch(agent, /wharf\/\S+ \(linux\)/);
});

for (const [client, env] of [
  ['buildx', {}],
  ['the legacy client', legacy],
] as const) {
  test(`${client} is told why a step is done again`, async () => {
    const name = `why-${client.length}`;
    const root = join(folder, name);
    const write = (path: string, text: string): Promise<void> => writeFile(join(root, path), text);
    await mkdir(join(root, 'src'), { recursive: true });
    await write(
      'Dockerfile',
      `FROM busybox
ARG MODE=dev
WORKDIR /app
COPY package.json .
RUN echo npm ci $MODE ${name} > log
COPY src src
RUN cat log src/*
`,
    );
    await write('package.json', '{\n  "version": "1"\n}\n');
    await write('src/main.js', 'first\n');
    const rebuilt = async (...flags: string[]): Promise<string> => {
      const args = env === legacy ? ['build'] : ['buildx', 'build', '--progress', 'plain'];
      return built(daemon.docker([...args, '-t', name, ...flags, root], { env }));
    };
    assert.doesNotMatch(await rebuilt(), /rebuilt:/);
    assert.doesNotMatch(await rebuilt(), /rebuilt:/);
    // A line of the source: what is installed stays.
    await write('src/main.js', 'second\n');
    const changed = await rebuilt();
    assert.match(changed, /RUN echo npm ci[^\n]*\n(?:#\d+ CACHED| ---> Using cache)/);
    assert.match(changed, /COPY src src\n(?:#\d+ \d+\.\d+ )?rebuilt: content changed \(line 1: second\)\n/);
    assert.equal(changed.match(/rebuilt:/g)?.length, 1);
    await write('package.json', '{\n  "version": "2"\n}\n');
    // Also where others have built that file before: then it is what is built on it that says so.
    assert.match(await rebuilt(), /rebuilt: [^\n]*content changed \(line 2: "version": "2"\)\n/);
    const argument = await rebuilt('--build-arg', 'MODE=prod');
    assert.match(argument, /rebuilt: its build argument MODE changed \("dev" → "prod"\)\n/);
    assert.doesNotMatch(await rebuilt('--build-arg', 'MODE=prod', '--no-cache'), /rebuilt:/);
    await write('Dockerfile', 'FROM busybox\nCOPY . /all\nRUN echo npm ci\n');
    await rebuilt();
    await write('src/other.js', name);
    const last = await rebuilt();
    assert.match(last, /rebuilt: src\/other\.js is new\n(?:#\d+ \d+\.\d+ )?hint: COPY \. \/all before npm/);
  });
}

/** Processes on the host with a word among their arguments. */
async function processesWith(word: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (words.includes(word) && words[0]?.includes('sleep')) found.push(pid);
  }
  return found;
}

let next = 7_000_000;

/** A build whose command has begun and takes no hints. */
async function stuckBuild(
  [program, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly client: ChildProcess; readonly mark: string }> {
  const mark = String(next++);
  const root = await context(
    `stuck-${mark}`,
    `RUN --mount=type=secret,id=s --mount=type=cache,target=/c trap '' TERM INT HUP; head -c 1000000 /dev/zero > /big; sleep ${mark} & sleep ${mark}`,
  );
  const client = spawn(program, [...args, root], {
    env: { ...process.env, ...daemon.env, ...env },
    stdio: 'ignore',
  });
  await eventually(async () => (await processesWith(mark)).length === 2, { timeout: 30_000 });
  return { client, mark };
}

for (const [kind, args, env, signal] of [
  ['buildx, interrupted,', [dockerProgram(), 'buildx', 'build'], {}, 'SIGINT'],
  ['buildx, killed,', [dockerProgram(), 'buildx', 'build'], {}, 'SIGKILL'],
  ['the legacy client, interrupted,', [dockerProgram(), 'build'], legacy, 'SIGINT'],
  ['the legacy client, killed,', [dockerProgram(), 'build'], legacy, 'SIGKILL'],
  ['our command line, interrupted,', [wharfProgram(), 'build'], {}, 'SIGINT'],
] as const) {
  test(`${kind} stops its command within a second and leaves nothing`, async () => {
    const snapshots = join(daemon.dataRoot, 'snapshots');
    const before = (await readdir(snapshots)).sort();
    const idle = await daemon.idle();
    const { client, mark } = await stuckBuild(args, env);
    const start = performance.now();
    client.kill(signal);
    await eventually(async () => (await processesWith(mark)).length === 0, { timeout: 10_000 });
    const took = performance.now() - start;
    assert.ok(took < 1500, `${Math.round(took)} ms`);
    await daemon.assertIdle(idle);
    await eventually(async () => (await readdir(join(daemon.runFolder, 'builds'))).length === 0);
    await eventually(async () => (await readdir(snapshots)).sort().join() === before.join());
  });
}

for (const [kind, args, env] of [
  ['buildx', ['buildx', 'build'], {}],
  ['the legacy client', ['build'], legacy],
] as const) {
  test(`${kind}, killed while it sends its context, leaves nothing of it`, async () => {
    const root = await context(`large-${kind.length}`, 'COPY large /');
    // A gigabyte that takes no room here.
    await writeFile(join(root, 'large'), '');
    await truncate(join(root, 'large'), 1024 ** 3);
    const arriving = async (): Promise<number> => (await arrivingFiles(daemon.dataRoot)).length;
    const idle = await daemon.idle();
    const client = spawn(dockerProgram(), [...args, root], {
      env: { ...process.env, ...daemon.env, ...env },
      stdio: 'ignore',
    });
    await eventually(async () => (await arriving()) > 0, { timeout: 30_000 });
    client.kill('SIGKILL');
    await eventually(async () => (await arriving()) === 0);
    await daemon.assertIdle(idle);
  });
}
