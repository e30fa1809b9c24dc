import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { eventually, freePort } from '../../setup/index.ts';
import { Engine } from '../docker-cli/engine.ts';
import { covers } from './covers.ts';

let engine: Engine;
const networks = {
  'rf-one': ['--subnet', '10.91.1.0/24'],
  'rf-two': ['--subnet', '10.91.2.0/24'],
  'rf-six': ['--ipv6', '--subnet', 'fd91:1::/64', '--subnet', '10.91.3.0/24'],
};
before(async () => {
  engine = await Engine.start();
  for (const [name, options] of Object.entries(networks)) {
    await engine.docker('network', 'create', ...options, name);
  }
});
after(async () => {
  await engine.try(['network', 'rm', ...Object.keys(networks)]);
  await engine[Symbol.asyncDispose]();
});

const reference = process.env['WHARF_TEST_HOST'] !== undefined;
const ours = { skip: reference && 'only of this engine, or in its network namespace' };
const refused = (...flags: string[]): Promise<string> =>
  engine.fails(125, 'run', '--rm', ...flags, 'busybox', 'true');
const addresses = "ip -o addr show dev eth0 | awk '{print $4}'";
const lines = (text: string): string[] => text.split('\n');
const bridgeGateway = (): Promise<string> =>
  engine.docker('network', 'inspect', '-f', '{{(index .IPAM.Config 0).Gateway}}', 'bridge');

covers('--network', 'one, several, their options, host, none and container:', async () => {
  const show = "ip -o -4 addr | awk '{print $2, $4}'; ip route | grep default";
  assert.equal(
    await engine.script(['--network', 'rf-one', '--network', 'rf-two'], show),
    'lo 127.0.0.1/8\neth0 10.91.1.2/24\neth1 10.91.2.2/24\ndefault via 10.91.1.1 dev eth0 ',
  );
  const first =
    'name=rf-one,alias=x,ip=10.91.1.9,mac-address=02:42:00:11:22:44,driver-opt=com.docker.network.endpoint.ifname=lan0';
  assert.equal(
    await engine.script(
      ['--network', first, '--network', 'name=rf-two,gw-priority=10'],
      `${show}; cat /sys/class/net/lan0/address; nslookup x | grep -A1 '^Name' | tail -1`,
    ),
    [
      'lo 127.0.0.1/8',
      'lan0 10.91.1.9/24',
      'eth0 10.91.2.2/24',
      'default via 10.91.2.1 dev eth0 ',
      '02:42:00:11:22:44',
      'Address: 10.91.1.9',
    ].join('\n'),
  );
  const sysctl = 'driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1';
  assert.equal(
    await engine.script(
      ['--network', `name=rf-one,${sysctl}`],
      'cat /proc/sys/net/ipv4/conf/eth0/log_martians',
    ),
    '1',
  );
  assert.equal(await engine.script(['--network', 'none'], 'ls /sys/class/net'), 'lo');
  await engine.docker('run', '-d', '--name', 'rf-owner', '-h', 'owner', 'busybox', 'sleep', '1000');
  const stack = 'readlink /proc/self/ns/net; hostname';
  assert.equal(
    await engine.script(['--network', 'container:rf-owner'], stack),
    await engine.docker('exec', 'rf-owner', 'sh', '-c', stack),
  );
  assert.notEqual(await engine.script(['--network', 'host'], 'ls /sys/class/net'), 'lo');
  for (const [flags, why] of [
    [['--network', 'rf-none'], /network rf-none not found/],
    [['--network', 'container:rf-none'], /No such container: rf-none/],
    [['--network', 'container:'], /invalid container format container:<name\|id>/],
    [['--network', 'rf-one', '--network', 'bridge'], /cannot attach both user-defined and non-user-defined/],
    [
      ['--network', 'host', '--network', 'none'],
      /sharing network namespace .* cannot be connected to any other/,
    ],
    [['--network', 'none', '--network', 'bridge'], /one of the networks in private \(none\) mode/],
    [['--network', 'name=rf-one,none=1'], /invalid field key none/],
    [['--network', 'name=rf-one,gw-priority=x'], /invalid gw-priority \(x\)/],
    [
      ['--network', 'name=rf-one,driver-opt=com.docker.network.endpoint.sysctls=kernel.x=1'],
      /unrecognised network interface sysctl 'kernel.x=1'/,
    ],
    [
      [
        '--network',
        'name=rf-one,driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=x',
      ],
      /unable to write to '\/proc\/sys\/net\/ipv4\/conf\/eth0\/log_martians'.*invalid argument/,
    ],
    [
      ['--network', 'name=rf-one,driver-opt=com.docker.network.endpoint.ifname=lo'],
      /error renaming interface .*to "lo": file exists/,
    ],
  ] as const) {
    assert.match(await refused(...flags), why);
  }
  for (const [flags, what] of [
    [['-p', '80'], 'port publishing and the container type network mode'],
    [['-P'], 'port publishing and the container type network mode'],
    [['--expose', '80'], 'port exposing and the container type network mode'],
    [['--add-host', 'a:1.2.3.4'], 'custom host-to-IP mapping and the network mode'],
    [['--dns', '1.1.1.1'], 'dns and the network mode'],
    [['-h', 'x'], 'hostname and the network mode'],
    [['--link', 'rf-owner'], "container type network can't be used with links"],
  ] as const) {
    const said = await refused('--network', 'container:rf-owner', ...flags);
    assert.ok(said.includes(`conflicting options: ${what}`), said);
  }
  await engine.docker('rm', '-f', 'rf-owner');
});

covers('--network-alias', 'is a further name on a network of one’s own', async () => {
  const found = await engine.script(
    ['--network', 'rf-one', '--network-alias', 'a', '--net-alias', 'b'],
    "for name in a b; do nslookup $name | grep -A1 '^Name' | tail -1; done",
  );
  assert.equal(found, 'Address: 10.91.1.2\nAddress: 10.91.1.2');
  assert.match(
    await refused('--network-alias', 'a'),
    /network-scoped aliases are only supported for user-defined networks/,
  );
});

covers('--ip --ip6 --mac-address', 'addresses are those asked for', async () => {
  assert.equal(
    await engine.script(
      ['--network', 'rf-one', '--ip', '10.91.1.20', '--mac-address', '02:42:00:11:22:33'],
      `${addresses}; cat /sys/class/net/eth0/address`,
    ),
    '10.91.1.20/24\n02:42:00:11:22:33',
  );
  assert.equal(
    await engine.script(['--mac-address', '02-42-00-11-22-55'], 'cat /sys/class/net/eth0/address'),
    '02:42:00:11:22:55',
  );
  const six = await engine.script(['--network', 'rf-six', '--ip6', 'fd91:1::33'], addresses);
  assert.ok(lines(six).includes('fd91:1::33/64'), six);
  const outside = /no configured subnet or ip-range contain the IP address/;
  assert.match(await refused('--network', 'rf-one', '--ip', '10.92.0.1'), outside);
  assert.match(await refused('--network', 'rf-six', '--ip6', 'fd92::1'), outside);
  assert.match(await refused('--network', 'rf-six', '--ip6', 'x'), /invalid IPv6 address: x/);
  assert.match(
    await refused('--ip', '1.2.3.4'),
    /user specified IP address is supported on user defined networks only/,
  );
  assert.match(await refused('--network', 'rf-one', '--ip', '10.91.1.1'), /Address already in use/);
  assert.match(await refused('--mac-address', 'zz'), /zz is not a valid mac address/);
});

covers('--link-local-ip', 'are further addresses of the interface', async () => {
  const flags = ['--link-local-ip', '169.254.8.8', '--link-local-ip', '169.254.8.9'];
  assert.deepEqual(lines(await engine.script(['--network', 'rf-one', ...flags], addresses)), [
    '10.91.1.2/24',
    '169.254.8.8/16',
    '169.254.8.9/16',
  ]);
  assert.match(
    await refused('--network', 'rf-one', '--link-local-ip', 'x'),
    /invalid link-local IP address: x/,
  );
  assert.match(
    await refused('--network', 'rf-one', '--link-local-ip', '10.1.2.3'),
    /invalid link local IP address: 10\.1\.2\.3/,
  );
});

covers(
  '--link-local-ip',
  'of IPv6 as well',
  async () => {
    const shown = await engine.script(['--network', 'rf-one', '--link-local-ip', 'fe80::1234'], addresses);
    assert.ok(lines(shown).includes('fe80::1234/64'), shown);
  },
  ours,
);

covers('--add-host', 'are lines of /etc/hosts, host-gateway too', async () => {
  const gateway = await bridgeGateway();
  const flags = ['foo:1.2.3.4', 'bar=::1', 'six:[::2]', 'gw:host-gateway'].flatMap((text) => [
    '--add-host',
    text,
  ]);
  for (const network of ['bridge', 'rf-one', 'host', 'none']) {
    const hosts = await engine.script(
      [...flags, '--network', network],
      "grep -E 'foo|bar|six|gw' /etc/hosts",
    );
    assert.equal(hosts, `1.2.3.4\tfoo\n::1\tbar\n::2\tsix\n${gateway}\tgw`, network);
  }
  assert.match(await refused('--add-host', 'foo'), /bad format for add-host: "foo"/);
  assert.match(await refused('--add-host', 'foo:bar'), /invalid IP address in add-host: "bar"/);
});

covers(
  '--add-host',
  'host.docker.internal is the host on every bridge, unless it is given',
  async () => {
    const gateway = await bridgeGateway();
    const show = 'grep host.docker.internal /etc/hosts | cut -f1; true';
    for (const network of ['bridge', 'rf-one']) {
      assert.equal(await engine.script(['--network', network], show), gateway);
      assert.match(
        await engine.script(['--network', network], 'ping -c 1 -W 5 host.docker.internal'),
        / 0% packet loss/,
      );
    }
    assert.equal(await engine.script(['--add-host', 'host.docker.internal:1.2.3.4'], show), '1.2.3.4');
    assert.equal(await engine.script(['--network', 'none'], show), '');
  },
  ours,
);

covers('--dns --dns-search --dns-option', 'are written to resolv.conf', async () => {
  const flags = [
    '--dns',
    '1.2.3.4',
    '--dns',
    '5.6.7.8',
    '--dns-search',
    'a.b',
    '--dns-search',
    'c',
    '--dns-option',
    'ndots:3',
    '--dns-opt',
    'timeout:1',
  ];
  const show = "grep -v '^#' /etc/resolv.conf | grep .";
  assert.equal(
    await engine.script(flags, show),
    'nameserver 1.2.3.4\nnameserver 5.6.7.8\nsearch a.b c\noptions ndots:3 timeout:1',
  );
  assert.equal(
    await engine.script(['--network', 'rf-one', ...flags], `${show} | sed 's/ ndots:0//'`),
    'nameserver 127.0.0.11\nsearch a.b c\noptions ndots:3 timeout:1',
  );
  assert.equal(await engine.script(['--dns-search', '.'], `${show} | grep -c search; true`), '0');
  assert.match(await refused('--dns', 'foo'), /IP address is not correctly formatted: foo/);
  assert.match(await refused('--dns-search', 'a_b..c'), /a_b\.\.c is not a valid domain/);
});

covers(
  '--publish --publish-all --expose',
  'ports reach the host',
  async () => {
    const port = await freePort();
    const serve = ['sh', '-c', 'mkdir /w; echo hello >/w/index.html; exec httpd -f -p 80 -h /w'];
    const flags = ['-p', `127.0.0.1:${port}:80`, '--expose', '81-82/udp', '--expose', '83', '-P'];
    await engine.docker('run', '-d', '--name', 'rf-ports', ...flags, 'busybox', ...serve);
    const fetched = async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text();
    assert.equal(await eventually(fetched), 'hello\n');
    const published = lines(await engine.docker('port', 'rf-ports'));
    assert.ok(published.includes(`80/tcp -> 127.0.0.1:${port}`));
    for (const name of ['81/udp', '82/udp', '83/tcp']) {
      assert.ok(
        published.some((line) => line.startsWith(`${name} -> 0.0.0.0:`)),
        name,
      );
    }
    assert.equal(
      await engine.inspect('rf-ports', '{{range $p, $_ := .Config.ExposedPorts}}{{$p}} {{end}}'),
      '80/tcp 81/udp 82/udp 83/tcp ',
    );
    await engine.docker('rm', '-f', 'rf-ports');
    assert.match(await refused('-p', 'foo'), /Invalid containerPort: foo/);
    assert.match(await refused('-p', '70000:80'), /Invalid hostPort: 70000/);
    assert.match(await refused('-p', '80-82:90-91'), /Invalid ranges specified for container and host Ports/);
    assert.match(await refused('--expose', '70000'), /invalid range format for --expose: 70000/);
  },
  ours,
);
