import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { after, before, test } from 'node:test';
import {
  cached,
  debianArchive,
  dockerProgram,
  eventually,
  freePort,
  startDaemon,
  startRegistry,
  Terminal,
  type Daemon,
  type Registry,
} from '../setup/index.ts';

let daemon: Daemon;
let registry: Registry;
let image: string;

async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(args, { timeout: 400_000 });
  assert.equal(code, 0, `docker ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout.trim();
}

/** Debian with nginx, redis and postgres, installed in a container and committed; kept for later runs. */
async function installSoftware(path: string): Promise<void> {
  await docker('load', '-i', await debianArchive());
  const script =
    'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends nginx-light redis-server postgresql && apt-get clean';
  await docker('run', '--name', 'install', 'debian:bookworm', 'sh', '-c', script);
  await docker('commit', 'install', 'real:1');
  await docker('save', '-o', path, 'real:1');
  await docker('rm', 'install');
  await docker('rmi', 'real:1');
}

before(async () => {
  daemon = await startDaemon();
  registry = await startRegistry();
  const archive = await cached('images/real-software-1.tar', installSoftware);
  await docker('load', '-i', archive);
  image = `${registry.address}/real:1`;
  await docker('tag', 'real:1', image);
});

after(async () => {
  await registry.stop();
  await daemon[Symbol.asyncDispose]();
});

const fetched = (address: string, port: number): Promise<string> =>
  eventually(async () => (await fetch(`http://${address}:${port}/`)).text(), { timeout: 20_000 });

function hostAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const own = addresses.find(
    ({ family, internal, address }) => family === 'IPv4' && !internal && !address.startsWith('172.'),
  );
  assert.ok(own, 'the host has an address of its own');
  return own.address;
}

test('an image with nginx goes to a registry and back, and serves on a published port', async () => {
  await docker('push', image);
  await docker('rmi', image, 'real:1');
  await docker('pull', image);
  const port = await freePort();
  await docker(
    'run',
    '-d',
    '--name',
    'web',
    '-p',
    `${port}:80`,
    image,
    'nginx',
    '-g',
    'daemon off; error_log /dev/stderr; ',
  );
  assert.match(await fetched('127.0.0.1', port), /Welcome to nginx/);
  assert.match(await fetched(hostAddress(), port), /Welcome to nginx/);

  await using terminal = new Terminal(dockerProgram(), ['exec', '-it', 'web', 'sh'], { env: daemon.env });
  await terminal.expect(/#/);
  terminal.type('echo here $((40+2)); tty\r');
  await terminal.expect(/here 42/);
  await terminal.expect(/\/dev\/pts\/\d/);
  terminal.type('exit\r');
  assert.equal(await terminal.exitCode(), 0);

  await docker('exec', 'web', 'sh', '-c', 'echo a line > /proc/1/fd/2');
  await using logs = new Terminal(dockerProgram(), ['logs', '-f', 'web'], { env: daemon.env });
  await logs.expect(/a line/);
  await docker('exec', 'web', 'sh', '-c', 'echo another > /proc/1/fd/2');
  await logs.expect(/another/);
  await docker('stop', 'web');
  assert.equal(await logs.exitCode(), 0);
  await docker('rm', 'web');
});

test('what redis keeps in a named volume outlives its container', async () => {
  const start = [
    'run',
    '-d',
    '--name',
    'cache',
    '-v',
    'redis-data:/data',
    '-w',
    '/data',
    image,
    'redis-server',
    '--dir',
    '/data',
  ];
  await docker(...start);
  await eventually(async () => (await docker('exec', 'cache', 'redis-cli', 'ping')) === 'PONG');
  await docker('exec', 'cache', 'redis-cli', 'set', 'kept', 'yes');
  await docker('stop', 'cache');
  await docker('rm', 'cache');
  await docker(...start);
  await eventually(async () => (await docker('exec', 'cache', 'redis-cli', 'get', 'kept')) === 'yes');
  await docker('rm', '-f', 'cache');
  await docker('volume', 'rm', 'redis-data');
});

test('postgres runs as a user within limits and is found by name on a network', async () => {
  await docker('network', 'create', 'back');
  const script =
    'PATH=$PATH:$(echo /usr/lib/postgresql/*/bin); initdb -D /tmp/db -A trust >/dev/null && echo "host all all all trust" >> /tmp/db/pg_hba.conf && exec postgres -D /tmp/db -h "*" -k /tmp';
  const limits = ['--memory', '256m', '--cpus', '0.5', '--user', 'postgres'];
  await docker('run', '-d', '--name', 'db', '--network', 'back', ...limits, image, 'sh', '-c', script);
  const query = [
    'run',
    '--rm',
    '--network',
    'back',
    '--user',
    'postgres',
    image,
    'psql',
    '-h',
    'db',
    '-tAc',
    'select 6*7',
  ];
  await eventually(async () => (await docker(...query)) === '42', { timeout: 60_000 });
  assert.equal(await docker('exec', 'db', 'id', '-un'), 'postgres');
  const pid = await docker('inspect', '-f', '{{.State.Pid}}', 'db');
  const cgroups = await readFile(`/proc/${pid}/cgroup`, 'utf8');
  const memory = /^\d+:memory:(.*)$/m.exec(cgroups)?.[1];
  const limit = memory
    ? await readFile(`/sys/fs/cgroup/memory${memory}/memory.limit_in_bytes`, 'utf8')
    : await readFile(`/sys/fs/cgroup${/^0::(.*)$/m.exec(cgroups)?.[1] ?? ''}/memory.max`, 'utf8');
  assert.equal(Number(limit), 256 * 1024 * 1024);
  await docker('rm', '-f', 'db');
  await docker('network', 'rm', 'back');
});
