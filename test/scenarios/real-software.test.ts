import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  answerOf,
  cached,
  debianArchive,
  dockerProgram,
  eventually,
  freePort,
  serversArchive,
  startDaemon,
  startRegistry,
  Terminal,
  type Daemon,
} from '../setup/index.ts';

let daemon: Daemon;

before(async () => {
  daemon = await startDaemon();
  await docker('load', '-q', '-i', await debianArchive());
  await docker('load', '-q', '-i', await serversArchive());
});
after(() => daemon[Symbol.asyncDispose]());

function docker(...args: string[]): Promise<string> {
  return answerOf(daemon.docker, args, { timeout: 240_000 });
}

const inspect = (name: string, format: string): Promise<string> => docker('inspect', '-f', format, name);

/** The host's own address, that of its first link which is not loopback. */
function hostAddress(): string {
  const found = Object.entries(networkInterfaces())
    .filter(([name]) => /^e(th|n)/.test(name))
    .flatMap(([, addresses = []]) => addresses)
    .find(({ family }) => family === 'IPv4');
  assert.ok(found, 'the host has no address but loopback');
  return found.address;
}

async function page(address: string, path = '/'): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://${address}${path}`, { headers: { connection: 'close' } });
  return { status: answer.status, text: await answer.text() };
}

/** Package lists and packages of nginx, which a container has downloaded through NAT; kept between runs. */
const nginxPackages = (): Promise<string> =>
  cached('packages/nginx-1', async (folder) => {
    await mkdir(join(folder, 'archives'), { recursive: true });
    const script = [
      'set -e',
      'apt-get -qq -o Acquire::Languages=none update',
      'apt-get -qq install --download-only --no-install-recommends nginx-light',
      'cp -r /var/lib/apt/lists /var/cache/apt/archives /apt',
      'chown -R 0:0 /apt',
    ].join('\n');
    await docker('run', '--rm', '-v', `${folder}:/apt`, 'debian:bookworm', 'bash', '-c', script);
  });

/** `apt-get install` from what nginxPackages() left, logs to the container's own output as images of servers do it. */
const installNginx = `set -e
export DEBIAN_FRONTEND=noninteractive
cp -r /apt/lists/. /var/lib/apt/lists
cp -r /apt/archives/. /var/cache/apt/archives
apt-get -qq install --no-download --no-install-recommends nginx-light
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
ln -sf /dev/stdout /var/log/nginx/access.log
ln -sf /dev/stderr /var/log/nginx/error.log
echo "served by wharf" >/var/www/html/index.html
nginx -t`;

test('a container reaches the world by name', async () => {
  const get = `use IO::Socket::INET; my $s = IO::Socket::INET->new(PeerAddr => 'deb.debian.org:80') or die $!;
    print $s "GET /debian/dists/bookworm/Release HTTP/1.0\\r\\nHost: deb.debian.org\\r\\n\\r\\n"; print scalar <$s>;`;
  assert.match(await docker('run', '--rm', 'debian:bookworm', 'perl', '-e', get), /^HTTP\/1\.[01] \d\d\d /);
});

test('nginx: installed, committed, pushed, pulled, served, looked into, stopped', async () => {
  await using registry = await startRegistry();
  const name = `${registry.address}/team/web:1`;
  const packages = await nginxPackages();
  await docker(
    'run',
    '--name',
    'build',
    '-v',
    `${packages}:/apt:ro`,
    'debian:bookworm',
    'bash',
    '-c',
    installNginx,
  );
  const changes = ['CMD ["nginx","-g","daemon off;"]', 'EXPOSE 80', 'STOPSIGNAL SIGQUIT'];
  const id = await docker('commit', ...changes.flatMap((change) => ['-c', change]), 'build', name);
  await docker('rm', 'build');
  assert.match(await docker('push', name), /1: digest: sha256:[0-9a-f]{64} size: \d+/);
  await docker('rmi', name);
  assert.equal((await daemon.docker(['image', 'inspect', id])).code, 1);
  assert.match(await docker('pull', name), /Status: Downloaded newer image/);
  assert.equal(await docker('image', 'inspect', '-f', '{{.Id}}', name), id);

  const port = await freePort();
  await docker('run', '-d', '--name', 'web', '-p', `${port}:80`, name);
  for (const address of ['127.0.0.1', '[::1]', hostAddress()]) {
    const { status, text } = await eventually(() => page(`${address}:${port}`), { what: address });
    assert.deepEqual([status, text], [200, 'served by wharf\n'], address);
  }

  {
    await using shell = new Terminal(dockerProgram(), ['exec', '-it', 'web', 'sh'], { env: daemon.env });
    await shell.expect(/# /);
    shell.type('cat /etc/debian_version; tty; head -1 /proc/1/cmdline | cut -c1-20\r');
    await shell.expect(/12\.\d+\r\n\/dev\/pts\/\d+\r\nnginx: master proces/);
    shell.type('exit 3\r');
    assert.equal(await shell.exitCode(), 3);
  }

  {
    await using log = new Terminal(dockerProgram(), ['logs', '-f', '--tail', '0', 'web'], {
      env: daemon.env,
    });
    await eventually(async () => {
      await page(`127.0.0.1:${port}`, '/absent');
      await log.expect(/"GET \/absent HTTP\/1\.1" 404/, 200);
      return true;
    });
    await docker('stop', 'web');
    assert.equal(await log.exitCode(), 0);
  }
  assert.equal(await inspect('web', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 0');
  await docker('rm', 'web');
  await docker('rmi', name);
});

test('redis: what it saved in a volume outlives its container', async () => {
  const serve = [
    'servers',
    'redis-server',
    '--dir',
    '/data',
    '--appendonly',
    'yes',
    '--protected-mode',
    'no',
  ];
  const port = await freePort();
  await docker('run', '-d', '--name', 'cache', '-v', 'kept:/data', '-p', `127.0.0.1:${port}:6379`, ...serve);
  await eventually(async () => (await docker('exec', 'cache', 'redis-cli', 'ping')) === 'PONG');
  assert.equal(await docker('exec', 'cache', 'redis-cli', 'set', 'colour', 'red'), 'OK');
  const client = connect(port, '127.0.0.1');
  client.write('GET colour\r\n');
  assert.equal(String((await once(client, 'data'))[0]), '$3\r\nred\r\n');
  client.destroy();
  await docker('stop', 'cache');
  assert.equal(await inspect('cache', '{{.State.ExitCode}}'), '0');
  await docker('rm', 'cache');

  await docker('run', '-d', '--name', 'cache', '-v', 'kept:/data', ...serve);
  await eventually(async () => (await docker('exec', 'cache', 'redis-cli', 'get', 'colour')) === 'red');
  await docker('rm', '-f', 'cache');
  await docker('volume', 'rm', 'kept');
});

test('postgres: within its limits, as its user, found by name on a network', async () => {
  const main = '/etc/postgresql/15/main';
  const start = `echo 'host all all all trust' >/tmp/hba
    exec /usr/lib/postgresql/15/bin/postgres -c config_file=${main}/postgresql.conf -c hba_file=/tmp/hba -c listen_addresses='*'`;
  await docker('network', 'create', 'backend');
  const limits = ['--memory', '256m', '--cpus', '0.5', '--user', 'postgres'];
  const storage = ['-v', 'cluster:/var/lib/postgresql', '--tmpfs', '/run/postgresql:mode=1777'];
  await docker(
    'run',
    '-d',
    '--name',
    'db',
    '--network',
    'backend',
    ...limits,
    ...storage,
    'servers',
    'bash',
    '-c',
    start,
  );
  const query = (sql: string) =>
    docker(
      'run',
      '--rm',
      '--network',
      'backend',
      'servers',
      'psql',
      '-h',
      'db',
      '-U',
      'postgres',
      '-Atc',
      sql,
    );
  await eventually(async () => (await query('select 6*7')) === '42', {
    timeout: 60_000,
    what: 'postgres answers',
  });
  await query('create table t as select generate_series(1, 20000) as n');
  assert.equal(await query('select sum(n) from t'), '200010000');

  const pid = await inspect('db', '{{.State.Pid}}');
  assert.match(
    await readFile(`/proc/${pid}/cmdline`, 'utf8'),
    /^\/usr\/lib\/postgresql\/15\/bin\/postgres\0/,
  );
  const uid = await docker('exec', 'db', 'id', '-un');
  assert.equal(uid, 'postgres');
  assert.deepEqual(await limitsOf(pid), { memory: `${256 << 20}`, cpu: '50000' });

  await docker('stop', '-t', '30', 'db');
  assert.equal(await inspect('db', '{{.State.ExitCode}}'), '0');
  await docker('start', 'db');
  await eventually(async () => (await query('select count(*) from t')) === '20000', { timeout: 60_000 });
  await docker('rm', '-f', 'db');
  await docker('volume', 'rm', 'cluster');
  await docker('network', 'rm', 'backend');
});

/** What the kernel holds a process to, under cgroup v1 and v2. */
async function limitsOf(pid: string): Promise<{ memory: string; cpu: string }> {
  const groups = (await readFile(`/proc/${pid}/cgroup`, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => line.split(':'));
  const path = (controller: string) =>
    groups.find(([, names = '']) => names.split(',').includes(controller))?.[2];
  const read = async (...parts: string[]) =>
    (await readFile(join('/sys/fs/cgroup', ...parts), 'utf8')).trim();
  const memory = path('memory');
  const cpu = path('cpu');
  const unified = groups.find(([id]) => id === '0')?.[2] ?? '';
  return {
    memory: memory
      ? await read('memory', memory, 'memory.limit_in_bytes')
      : await read(unified, 'memory.max'),
    cpu: cpu
      ? await read('cpu', cpu, 'cpu.cfs_quota_us')
      : ((await read(unified, 'cpu.max')).split(' ')[0] ?? ''),
  };
}

test('UDP and TCP ports of one number are published side by side', async () => {
  const echo = `use IO::Socket::INET; use IO::Select;
    my $u = IO::Socket::INET->new(LocalPort => 7, Proto => 'udp') or die $!;
    my $t = IO::Socket::INET->new(LocalPort => 7, Listen => 5, ReuseAddr => 1) or die $!;
    $| = 1; print "ready\\n"; my $s = IO::Select->new($u, $t);
    while (1) { for my $r ($s->can_read) {
      if ($r == $u) { my $from = recv($u, my $d, 9000, 0); my ($port, $ip) = sockaddr_in($from);
        print 'udp from ', inet_ntoa($ip), "\\n"; send($u, "udp $d", 0, $from) }
      else { my $c = $t->accept; my $d = <$c>; print $c "tcp $d"; close $c } } }`;
  const port = await freePort();
  const publish = ['-p', `${port}:7/tcp`, '-p', `${port}:7/udp`];
  await docker(
    'run',
    '-d',
    '--name',
    'echo',
    '--init',
    ...publish,
    'debian:bookworm',
    'perl',
    '-MSocket',
    '-e',
    echo,
  );
  await eventually(async () => (await docker('logs', 'echo')) === 'ready');
  for (const address of ['127.0.0.1', hostAddress()]) {
    const tcp = connect(port, address);
    tcp.write('hello\n');
    assert.equal(String((await once(tcp, 'data'))[0]), 'tcp hello\n', address);
    tcp.destroy();
    const udp = createSocket('udp4');
    try {
      const answered = once(udp, 'message') as Promise<[Buffer, { address: string; port: number }]>;
      udp.send('hello', port, address);
      const [data, from] = await answered;
      assert.deepEqual([data.toString(), from.address, from.port], ['udp hello', address, port]);
    } finally {
      udp.close();
    }
  }
  await docker('rm', '-f', 'echo');
});
