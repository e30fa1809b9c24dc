import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, before, test } from 'node:test';
import { eventually, freePort } from '../../setup/index.ts';
import { Engine } from './engine.ts';

let engine: Engine;
before(async () => (engine = await Engine.start()));
after(() => engine[Symbol.asyncDispose]());

/** The reference engine may be in another network namespace, and has networks of others. */
const ours = { skip: process.env['WHARF_TEST_HOST'] !== undefined };
const lines = (text: string): string[] => text.split('\n').filter(Boolean);
const serve = (text: string): string[] => [
  'sh',
  '-c',
  `mkdir -p /w; echo ${text} >/w/index.html; exec httpd -f -p 80 -h /w`,
];

/** An address of the host that is not loopback. */
const hostAddress = (): string | undefined =>
  Object.entries(networkInterfaces())
    .filter(([name]) => /^(eth|en)/.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

const body = async (address: string): Promise<string> =>
  (await (await fetch(`http://${address}/`, { headers: { connection: 'close' } })).text()).trim();

test("-p publishes on loopback, on the host's address and to other containers", ours, async () => {
  const port = await freePort();
  await engine.docker('run', '-d', '--name', 'web', '-p', `${port}:80`, 'busybox', ...serve('hello'));
  assert.equal(await eventually(() => body(`127.0.0.1:${port}`)), 'hello');
  assert.equal(await body(`[::1]:${port}`), 'hello');
  const address = hostAddress();
  if (address) assert.equal(await body(`${address}:${port}`), 'hello');
  assert.deepEqual(lines(await engine.docker('port', 'web')), [
    `80/tcp -> 0.0.0.0:${port}`,
    `80/tcp -> [::]:${port}`,
  ]);
  assert.match(
    await engine.docker('ps', '--filter', 'name=web', '--format', '{{.Ports}}'),
    new RegExp(`0\\.0\\.0\\.0:${port}->80/tcp, \\[::\\]:${port}->80/tcp`),
  );
  const gateway = await engine.docker(
    'network',
    'inspect',
    '-f',
    '{{(index .IPAM.Config 0).Gateway}}',
    'bridge',
  );
  const ask = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${gateway} ${port} | tail -1`;
  assert.equal(await engine.script([], ask), 'hello');
  const taken = await engine.fails(125, 'run', '--rm', '-p', `${port}:80`, 'busybox', 'true');
  assert.match(taken, /port is already allocated|address already in use/);
  await engine.docker('stop', '-t', '0', 'web');
  await assert.rejects(body(`127.0.0.1:${port}`));
  await engine.docker('start', 'web');
  assert.equal(await eventually(() => body(`127.0.0.1:${port}`)), 'hello');
  await engine.docker('rm', '-f', 'web');
});

test('-p with an address, a free port and -P', ours, async () => {
  await engine.docker(
    'run',
    '-d',
    '--name',
    'some',
    '-p',
    '127.0.0.1::80',
    '--expose',
    '81',
    '--expose',
    '82/udp',
    '-P',
    'busybox',
    ...serve('some'),
  );
  const at = await engine.docker('port', 'some', '80/tcp');
  assert.match(at, /^127\.0\.0\.1:\d+$/);
  assert.equal(await eventually(() => body(at)), 'some');
  assert.match(await engine.docker('port', 'some', '81'), /^0\.0\.0\.0:\d+\n\[::\]:\d+$/);
  assert.match(await engine.docker('port', 'some', '82/udp'), /^0\.0\.0\.0:\d+\n/);
  const address = hostAddress();
  if (address) await assert.rejects(body(at.replace('127.0.0.1', address)));
  await engine.docker('rm', '-f', 'some');
});

test("--network none has loopback alone, and host the host's links", ours, async () => {
  assert.equal(
    await engine.script(
      ['--network', 'none'],
      'ls /sys/class/net | tr "\\n" " "; ping -c 1 -W 1 127.0.0.1 >/dev/null && echo up',
    ),
    'lo up',
  );
  const links = lines(await engine.script(['--network', 'host'], 'ls /sys/class/net'));
  assert.deepEqual(
    links.filter((name) => /^(lo|eth)/.test(name)).sort(),
    Object.keys(networkInterfaces())
      .filter((name) => /^(lo|eth)/.test(name))
      .sort(),
  );
  assert.equal(await engine.script(['--network', 'host'], 'hostname'), (await import('node:os')).hostname());
});

test('--network container: shares the stack of another container', async () => {
  await engine.docker(
    'run',
    '-d',
    '--name',
    'owner',
    '--hostname',
    'shared-name',
    'busybox',
    ...serve('inside'),
  );
  const ask =
    "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 127.0.0.1 80 | tail -1; hostname; grep -c shared-name /etc/hosts";
  assert.equal(
    await eventually(() => engine.script(['--network', 'container:owner'], ask)),
    'inside\nshared-name\n1',
  );
  assert.match(
    await engine.fails(125, 'run', '--rm', '--network', 'container:owner', '-p', '80:80', 'busybox'),
    /conflicting options: port publishing and the container type network mode/,
  );
  await engine.docker('rm', '-f', 'owner');
  assert.match(
    await engine.fails(125, 'run', '--rm', '--network', 'container:owner', 'busybox'),
    /No such container: owner/,
  );
});

test('host and none are for containers made for them', async () => {
  await engine.docker('run', '-d', '--name', 'joiner', 'busybox', 'sleep', '1000');
  assert.match(
    await engine.fails(1, 'network', 'connect', 'host', 'joiner'),
    /cannot connect container to host network - container must be created in host network mode/,
  );
  assert.match(
    await engine.fails(1, 'network', 'connect', 'none', 'joiner'),
    /cannot be connected to multiple networks with one of the networks in private \(none\) mode/,
  );
  await engine.docker('rm', '-f', 'joiner');
  const { stderr } = await engine.try([
    'run',
    '--rm',
    '--network',
    'host',
    '-p',
    '8080:80',
    'busybox',
    'true',
  ]);
  assert.match(stderr, /WARNING: Published ports are discarded when using host network mode/);
});

test('networks: create, ls, inspect, rm, prune', ours, async () => {
  const id = await engine.docker(
    'network',
    'create',
    '--subnet',
    '10.213.7.0/24',
    '--gateway',
    '10.213.7.9',
    '--label',
    'a=b',
    'own',
  );
  assert.match(id, /^[0-9a-f]{64}$/);
  assert.equal(
    await engine.docker(
      'network',
      'inspect',
      '-f',
      '{{.Driver}} {{.Scope}} {{.Internal}} {{json .IPAM.Config}} {{json .Labels}}',
      'own',
    ),
    'bridge local false [{"Subnet":"10.213.7.0/24","Gateway":"10.213.7.9"}] {"a":"b"}',
  );
  assert.deepEqual(
    lines(await engine.docker('network', 'ls', '--format', '{{.Name}} {{.Driver}} {{.Scope}}')).sort(),
    ['bridge bridge local', 'host host local', 'none null local', 'own bridge local'],
  );
  assert.equal(await engine.docker('network', 'ls', '-q', '--no-trunc', '-f', 'label=a=b'), id);
  assert.match(await engine.fails(1, 'network', 'create', 'own'), /network with name own already exists/);
  assert.match(
    await engine.fails(1, 'network', 'create', '--subnet', '10.213.7.128/25', 'other'),
    /Pool overlaps with other one on this address space|overlaps/,
  );
  const fixed = await engine.script(
    ['--network', 'own', '--ip', '10.213.7.77'],
    "ip -4 addr show eth0 | grep -o '10\\.[.0-9/]*' | head -1; ip route | grep ^default",
  );
  assert.match(fixed, /^10\.213\.7\.77\/24\ndefault via 10\.213\.7\.9 dev eth0/);
  await engine.docker('run', '-d', '--name', 'user', '--network', 'own', 'busybox', 'sleep', '1000');
  assert.match(
    await engine.docker(
      'network',
      'inspect',
      '-f',
      '{{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}',
      'own',
    ),
    /^user 10\.213\.7\.\d+\/24$/,
  );
  assert.match(
    await engine.fails(1, 'network', 'rm', 'own'),
    /error while removing network: network own has active endpoints|has active endpoints/,
  );
  await engine.docker('rm', '-f', 'user');
  assert.equal(await engine.docker('network', 'rm', 'own'), 'own');
  await engine.docker('network', 'create', 'stale');
  assert.equal(await engine.docker('network', 'prune', '-f'), 'Deleted Networks:\nstale\n');
  assert.match(
    await engine.fails(1, 'network', 'rm', 'bridge'),
    /bridge is a pre-defined network and cannot be removed/,
  );
  assert.match(await engine.fails(1, 'network', 'inspect', 'gone'), /network gone not found/);
});

test('containers of a network find each other by name, alias and after connect', async () => {
  await engine.docker('network', 'create', 'sr-friends');
  await engine.docker(
    'run',
    '-d',
    '--name',
    'alice',
    '--network',
    'sr-friends',
    '--network-alias',
    'al',
    'busybox',
    'sleep',
    '1000',
  );
  await engine.docker('run', '-d', '--name', 'bob', 'busybox', 'sleep', '1000');
  const ping = (from: string, to: string) => engine.try(['exec', from, 'ping', '-c', '1', '-W', '2', to]);
  assert.equal((await ping('bob', 'alice')).code, 1);
  await engine.docker('network', 'connect', '--alias', 'robert', 'sr-friends', 'bob');
  for (const name of ['alice', 'al']) assert.match((await ping('bob', name)).stdout, /1 packets received/);
  const id = await engine.inspect('bob', '{{.Id}}');
  for (const name of ['bob', 'robert', id.slice(0, 12)])
    assert.match((await ping('alice', name)).stdout, /1 packets received/, name);
  assert.equal(await engine.docker('exec', 'bob', 'sh', '-c', 'ls /sys/class/net | grep -c eth'), '2');
  const address = await engine.inspect(
    'alice',
    '{{(index .NetworkSettings.Networks "sr-friends").IPAddress}}',
  );
  assert.match(
    await engine.docker('exec', 'bob', 'nslookup', 'alice'),
    new RegExp(address.replaceAll('.', '\\.')),
  );
  await engine.docker('network', 'disconnect', 'sr-friends', 'bob');
  assert.equal((await ping('bob', 'alice')).code, 1);
  assert.equal((await ping('alice', 'robert')).code, 1);
  assert.equal(await engine.docker('exec', 'bob', 'sh', '-c', 'ls /sys/class/net | grep -c eth'), '1');
  assert.match(
    await engine.fails(1, 'network', 'disconnect', 'sr-friends', 'bob'),
    /is not connected to( the)? network sr-friends/,
  );
  await engine.docker('rm', '-f', 'alice', 'bob');
  await engine.docker('network', 'rm', 'sr-friends');
});

test('an internal network reaches its own and nothing else', ours, async () => {
  await engine.docker('network', 'create', '--internal', 'cell');
  await engine.docker('run', '-d', '--name', 'inmate', '--network', 'cell', 'busybox', 'sleep', '1000');
  assert.match(
    await engine.script(['--network', 'cell'], 'ping -c 1 -W 2 inmate; ip route | grep -c ^default; true'),
    /1 packets received[^]*\n0$/,
  );
  await engine.docker('rm', '-f', 'inmate');
  await engine.docker('network', 'rm', 'cell');
});

test("the host's resolvers answer, --dns and --dns-search are written", async () => {
  const options = ['--dns', '10.9.8.7', '--dns-search', 'example.test', '--dns-option', 'ndots:3'];
  const file = await engine.script(options, 'grep -v "^#" /etc/resolv.conf');
  assert.deepEqual(
    lines(file)
      .filter((line) => /^(nameserver|search|options)/.test(line))
      .sort(),
    ['nameserver 10.9.8.7', 'options ndots:3', 'search example.test'],
  );
  await engine.docker('network', 'create', 'sr-named');
  assert.match(
    await engine.script(['--network', 'sr-named'], 'cat /etc/resolv.conf'),
    /^nameserver 127\.0\.0\.11$/m,
  );
  await engine.docker('network', 'rm', 'sr-named');
});

test('--mac-address, --ip and links are kept over a restart', ours, async () => {
  await engine.docker('network', 'create', '--subnet', '10.213.8.0/24', 'fixed');
  await engine.docker(
    'run',
    '-d',
    '--name',
    'one',
    '--network',
    'fixed',
    '--ip',
    '10.213.8.50',
    '--mac-address',
    '02:42:0a:d5:08:32',
    'busybox',
    'sleep',
    '1000',
  );
  const look = () =>
    engine.docker(
      'exec',
      'one',
      'sh',
      '-c',
      "cat /sys/class/net/eth0/address; ip -4 addr show eth0 | grep -o '10\\.[.0-9]*' | head -1",
    );
  assert.equal(await look(), '02:42:0a:d5:08:32\n10.213.8.50');
  await engine.docker('restart', '-t', '0', 'one');
  assert.equal(await look(), '02:42:0a:d5:08:32\n10.213.8.50');
  assert.match(
    await engine.fails(
      125,
      'run',
      '--name',
      'two',
      '--network',
      'fixed',
      '--ip',
      '10.213.8.50',
      'busybox',
      'true',
    ),
    /Address already in use/,
  );
  await engine.docker('rm', '-f', 'one', 'two');
  await engine.docker('network', 'rm', 'fixed');
});
