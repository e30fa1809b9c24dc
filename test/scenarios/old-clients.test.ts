/** Unmodified docker command lines of older releases, which ask for the version of the API of their time. */
import assert from 'node:assert/strict';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  answerOf,
  busyboxArchive,
  client,
  debianPackages,
  eventually,
  startDaemon,
  Terminal,
  type Client,
  type Daemon,
} from '../setup/index.ts';

interface Release {
  readonly version: string;
  readonly api: string;
  readonly program: () => Promise<string>;
}

const releases: readonly Release[] = [
  {
    version: '20.10',
    api: '1.41',
    program: async () => {
      // The engine comes with it.
      const drop = ['usr/sbin', 'usr/lib', 'usr/libexec', 'usr/share', 'etc', 'lib', 'var'];
      return join(
        await debianPackages('docker-cli-20.10', 'bookworm', ['docker.io'], drop),
        'usr/bin/docker',
      );
    },
  },
  {
    version: '26.1',
    api: '1.45',
    program: async () =>
      join(
        await debianPackages('docker-cli-26.1', 'trixie', ['docker-cli'], ['usr/share']),
        'usr/bin/docker',
      ),
  },
];

function succeed(docker: Client, ...args: string[]): Promise<string> {
  return answerOf(docker, args);
}

/** What people do with a container, from run to rm. */
async function containersWork(docker: Client): Promise<void> {
  const ok = (...args: string[]): Promise<string> => succeed(docker, ...args);
  assert.equal(await ok('run', '--rm', 'busybox', 'echo', 'hello'), 'hello');
  const failing = await docker(['run', '--rm', 'busybox', 'sh', '-c', 'echo bad >&2; exit 7']);
  assert.deepEqual([failing.code, failing.stdout, failing.stderr], [7, '', 'bad\n']);
  assert.equal((await docker(['run', '--rm', 'busybox', 'no-such-program'])).code, 127);
  const input = await docker(['run', '--rm', '-i', 'busybox', 'cat'], { input: 'through stdin\n' });
  assert.equal(input.stdout, 'through stdin\n');

  const limits = ['--memory', '64m', '--cpus', '0.5', '--ulimit', 'nofile=100:200', '--health-cmd', 'true'];
  const script = 'echo started; sleep 1000';
  await ok(
    'run',
    '-d',
    '--name',
    'web',
    '-p',
    '127.0.0.1::80',
    '-v',
    'data:/data',
    ...limits,
    'busybox',
    'sh',
    '-c',
    script,
  );
  assert.match(await ok('ps', '--filter', 'name=web'), /127\.0\.0\.1:\d+->80\/tcp +web$/m);
  assert.match(await ok('port', 'web', '80'), /^127\.0\.0\.1:\d+$/);
  assert.equal(
    await ok('inspect', '-f', '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}', 'web'),
    '67108864 500000000',
  );
  await eventually(async () => (await ok('logs', 'web')) === 'started');
  assert.equal(await ok('exec', '-w', '/data', '-e', 'X=y', 'web', 'sh', '-c', 'pwd; echo $X'), '/data\ny');
  assert.match(await ok('top', 'web'), /sleep 1000/);
  assert.match(
    await ok('stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}}', 'web'),
    /^web .* \/ 64MiB$/,
  );
  await ok('pause', 'web');
  await ok('unpause', 'web');
  await ok('rename', 'web', 'site');
  await ok('stop', '-t', '0', 'site');
  assert.equal(await ok('wait', 'site'), '137');
  await ok('start', 'site');
  await ok('restart', '-t', '0', 'site');
  assert.equal(await ok('diff', 'site'), 'A /data');
  await ok('rm', '-fv', 'site');
  assert.match(await ok('volume', 'ls', '-q'), /^data$/m);
  await ok('volume', 'rm', 'data');
}

async function filesWork(docker: Client, folder: string): Promise<void> {
  const ok = (...args: string[]): Promise<string> => succeed(docker, ...args);
  await ok('create', '--name', 'files', 'busybox', 'sleep', '1000');
  await writeFile(join(folder, 'in'), 'content\n');
  await ok('cp', join(folder, 'in'), 'files:/tmp/copied');
  await ok('cp', 'files:/tmp/copied', join(folder, 'out'));
  assert.equal(await readFile(join(folder, 'out'), 'utf8'), 'content\n');
  assert.equal(await ok('diff', 'files'), 'C /tmp\nA /tmp/copied');
  await ok('commit', '-c', 'CMD ["cat", "/tmp/copied"]', 'files', 'old-client:1');
  assert.equal(await ok('run', '--rm', 'old-client:1'), 'content');
  assert.match(await ok('history', 'old-client:1'), /ago/);
  await ok('save', '-o', join(folder, 'saved.tar'), 'old-client:1');
  await ok('rmi', 'old-client:1');
  assert.match(await ok('load', '-i', join(folder, 'saved.tar')), /Loaded image: old-client:1/);
  await ok('export', '-o', join(folder, 'exported.tar'), 'files');
  assert.match(await ok('import', join(folder, 'exported.tar'), 'old-import'), /^sha256:/);
  assert.match(await ok('images', 'old-import'), /old-import +latest/);
  await ok('rmi', 'old-client:1', 'old-import');
  await ok('rm', 'files');
}

async function networksWork(docker: Client): Promise<void> {
  const ok = (...args: string[]): Promise<string> => succeed(docker, ...args);
  await ok('network', 'create', '--subnet', '10.211.9.0/24', 'old-net');
  await ok(
    'run',
    '-d',
    '--name',
    'one',
    '--network',
    'old-net',
    '--network-alias',
    'alias',
    'busybox',
    'sleep',
    '1000',
  );
  assert.match(
    await ok('run', '--rm', '--network', 'old-net', 'busybox', 'nslookup', '-type=a', 'alias'),
    /10\.211\.9\.2/,
  );
  await ok('network', 'disconnect', 'old-net', 'one');
  await ok('network', 'connect', '--ip', '10.211.9.7', 'old-net', 'one');
  assert.match(await ok('network', 'inspect', 'old-net'), /"10\.211\.9\.7\/24"/);
  await ok('rm', '-f', 'one');
  assert.match(await ok('network', 'prune', '-f'), /old-net/);
}

async function systemWorks(docker: Client): Promise<void> {
  const ok = (...args: string[]): Promise<string> => succeed(docker, ...args);
  assert.match(await ok('info'), /Server Version: /);
  assert.match(await ok('system', 'df'), /^Images +\d/m);
  const past = await ok('events', '--since', '10m', '--until', '0s', '--filter', 'type=container');
  assert.match(past, /container create [0-9a-f]{64} \(image=busybox, name=/);
  await ok('run', '--name', 'gone', 'busybox', 'true');
  assert.match(await ok('container', 'prune', '-f'), /Deleted Containers:\n[0-9a-f]{64}/);
}

/** A folder of settings with buildx 0.13, which 26.1 needs for BuildKit. */
async function withBuildx(folder: string): Promise<string> {
  const root = await debianPackages('docker-buildx-0.13', 'trixie', ['docker-buildx'], ['usr/share']);
  const plugins = join(folder, 'settings', 'cli-plugins');
  await mkdir(plugins, { recursive: true });
  await symlink(join(root, 'usr/libexec/docker/cli-plugins/docker-buildx'), join(plugins, 'docker-buildx'));
  return join(folder, 'settings');
}

const dockerfile = `FROM busybox AS base
ARG WHO=nobody
RUN echo "for $WHO" > /who
FROM base
COPY file /file
CMD ["cat", "/who", "/file"]
`;

/** `env`: what tells the client by which of its two ways it builds. */
async function buildsWork(docker: Client, folder: string, env: Record<string, string>): Promise<void> {
  const root = join(folder, `build-${env['DOCKER_BUILDKIT']}`);
  await mkdir(root, { recursive: true });
  await writeFile(join(root, 'Dockerfile'), dockerfile);
  await writeFile(join(root, 'file'), 'a file\n');
  const build = async (args: readonly string[], input = ''): Promise<string> => {
    const { code, stdout, stderr } = await docker(['build', '--build-arg', 'WHO=me', ...args], {
      env,
      input,
    });
    assert.equal(code, 0, stderr);
    return stdout + stderr;
  };
  await build(['-t', 'old-build', root]);
  assert.equal(await succeed(docker, 'run', '--rm', 'old-build'), 'for me\na file');
  const again = await build(['-t', 'old-build', root]);
  assert.match(again, /CACHED|Using cache/);
  assert.match(await build(['-q', root]), /^sha256:[0-9a-f]{64}$/m);
  // A Dockerfile alone, without a context.
  assert.match(await build(['-t', 'old-stdin', '-'], 'FROM busybox\nENV A=b\n'), /old-stdin/);
  const failing = 'FROM busybox\nRUN echo told; exit 3\n';
  const failed = await docker(['build', '-'], { env, input: failing });
  assert.notEqual(failed.code, 0);
  assert.match(failed.stdout + failed.stderr, /told[^]*(exit code: 3|returned a non-zero code: 3)/);
  await succeed(docker, 'rmi', 'old-build', 'old-stdin');
}

async function terminalWorks(daemon: Daemon, program: string): Promise<void> {
  await using terminal = new Terminal(program, ['run', '-it', '--rm', 'busybox'], { env: daemon.env });
  await terminal.expect(/# /);
  terminal.type('stty size; exit 6\r');
  await terminal.expect(/24 80\r\n/);
  assert.equal(await terminal.exitCode(), 6);
}

for (const { version, api, program: fetch } of releases) {
  test(`the docker command line ${version} works, with API ${api}`, async (t) => {
    const program = await fetch();
    await using daemon = await startDaemon();
    const docker = client(program, daemon.env);
    const folder = join(daemon.folder, 'files');
    await mkdir(folder);
    await succeed(docker, 'load', '-q', '-i', await busyboxArchive());
    assert.match(
      await succeed(docker, 'version', '-f', '{{.Client.Version}} {{.Client.APIVersion}}'),
      new RegExp(`^${version.replace('.', '\\.')}\\S* ${api.replace('.', '\\.')}$`),
    );
    await t.test('containers', () => containersWork(docker));
    await t.test('files and images', () => filesWork(docker, folder));
    await t.test('networks', () => networksWork(docker));
    await t.test('system', () => systemWorks(docker));
    await t.test('builds', () => buildsWork(docker, folder, { DOCKER_BUILDKIT: '0' }));
    const plugin = version === '20.10' ? {} : { DOCKER_CONFIG: await withBuildx(folder) };
    await t.test('builds with BuildKit', () =>
      buildsWork(docker, folder, { DOCKER_BUILDKIT: '1', BUILDKIT_PROGRESS: 'plain', ...plugin }),
    );
    await t.test('a terminal', () => terminalWorks(daemon, program));
  });
}
