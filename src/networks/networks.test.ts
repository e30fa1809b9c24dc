import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { newId } from '#kernel';
import { createNetns, isNetns, readSysctl, removeNetns, writeSysctl } from '#linux';
import { createNetworks, teardown } from './index.ts';
import type { Networks, PortRequest } from './networks.ts';
import type { NetworksOptions } from './networks-options.ts';
import {
  ask,
  eventually,
  hostAddress,
  openFiles,
  outsideAddress,
  runIn,
  sandboxSpec,
  serve,
  SimulatedHost,
} from './simulated-host.ts';

const host = new SimulatedHost();
after(() => host[Symbol.dispose]());

const publish = (containerPort: number, hostPort?: number, more: Partial<PortRequest> = {}): PortRequest => ({
  protocol: 'tcp',
  containerPort,
  ...(hostPort !== undefined && { hostPort: { first: hostPort, last: hostPort } }),
  ...more,
});

/** Networks on the simulated host, removed afterwards with everything they made. */
async function withNetworks(
  body: (networks: Networks, options: NetworksOptions) => Promise<void>,
  overrides: Partial<NetworksOptions> = {},
): Promise<void> {
  const options = host.options(overrides);
  const links = host.links();
  try {
    await using networks = createNetworks(options);
    await networks.start(new Set());
    await body(networks, options);
  } finally {
    await teardown(options);
    options.db[Symbol.dispose]();
  }
  await eventually(() => host.links().join() === links.join(), 'links removed');
  assert.equal(host.ruleset(), '');
  assert.equal(readSysctl('net/ipv4/ip_forward'), '0');
}

const open = async (
  networks: Networks,
  ...args: Parameters<typeof sandboxSpec>
): Promise<{ id: string; path: string; ip: string }> => {
  const spec = sandboxSpec(...args);
  const sandbox = await networks.openSandbox(spec);
  return { id: spec.containerId, path: sandbox.path, ip: sandbox.endpoints[0]?.ipv4?.address ?? '' };
};

describe('predefined networks', () => {
  test("start() makes bridge, host and none with Docker's options, once", async () => {
    await withNetworks(async (networks, options) => {
      assert.deepEqual(
        networks
          .list()
          .map((record) => record.name)
          .sort(),
        ['bridge', 'host', 'none'],
      );
      const bridge = networks.get('bridge');
      assert.deepEqual(bridge.ipamConfig, [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }]);
      assert.equal(bridge.options['com.docker.network.bridge.name'], 'wh-test0');
      assert.equal(bridge.options['com.docker.network.driver.mtu'], '1400');
      assert.equal(networks.get(bridge.id.slice(0, 6)).id, bridge.id);
      await using again = createNetworks(options);
      await again.start(new Set());
      assert.deepEqual(again.list(), networks.list());
    });
  });

  test('start() makes the default bridge as the options say, and keeps its id', async () => {
    await withNetworks(async (networks, options) => {
      // Without netfilter on bridges only the ports themselves can keep containers apart.
      writeSysctl('net/bridge/bridge-nf-call-iptables', '0');
      const before = networks.get('bridge');
      await using again = createNetworks({ ...options, bip: '10.5.0.1/24', mtu: 1300, icc: false });
      await again.start(new Set());
      const record = again.get('bridge');
      assert.equal(record.id, before.id);
      assert.deepEqual(record.ipamConfig, [{ subnet: '10.5.0.0/24', gateway: '10.5.0.1' }]);
      const link = await runIn('/proc/self/ns/net', 'ip', 'addr', 'show', 'wh-test0');
      assert.match(link, /mtu 1300[\s\S]*inet 10\.5\.0\.1\/24/);
      assert.doesNotMatch(link, /172\.17/);
      const a = await open(again, 'a', ['bridge']);
      const b = await open(again, 'b', ['bridge']);
      await using servers = new AsyncDisposableStack();
      servers.use(await serve(b.path, 'tcp', 80, 'b'));
      await assert.rejects(ask(a.path, 'tcp', b.ip, 80, 300), /timeout|EHOSTUNREACH/);
      assert.match(await ask(undefined, 'tcp', b.ip, 80), /^b /);
      await again.closeSandbox(a.id);
      await again.closeSandbox(b.id);
    });
  });

  test('openSandbox() on none has a loopback and nothing else', async () => {
    await withNetworks(async (networks) => {
      const { path } = await open(networks, 'alone', ['none']);
      const links = await runIn(path, 'ip', '-o', 'link');
      assert.match(links, /lo: <LOOPBACK,UP/);
      assert.equal(links.trim().split('\n').length, 1);
    });
  });
});

describe('default bridge', () => {
  test('containers reach each other and the world outside, masqueraded', async () => {
    await withNetworks(async (networks) => {
      await using servers = new AsyncDisposableStack();
      const a = await open(networks, 'a', ['bridge']);
      const b = await open(networks, 'b', ['bridge']);
      assert.equal(a.ip, '172.17.0.2');
      assert.equal(b.ip, '172.17.0.3');
      assert.match(await runIn(a.path, 'ip', 'addr', 'show', 'eth0'), /mtu 1400[\s\S]*02:42:ac:11:00:02/);
      servers.use(await serve(b.path, 'tcp', 80, 'b'));
      servers.use(await serve(host.outside, 'tcp', 90, 'outside'));
      assert.equal(await ask(a.path, 'tcp', b.ip, 80), `b ${a.ip}`);
      assert.equal(await ask(a.path, 'tcp', outsideAddress, 90), `outside ${hostAddress}`);
      assert.equal(await ask(undefined, 'tcp', b.ip, 80), 'b 172.17.0.1');
    });
  });

  for (const netfilter of ['0', '1']) {
    test(`a published port answers from everywhere, bridge-nf-call-iptables=${netfilter}`, async () => {
      await withNetworks(async (networks) => {
        await using servers = new AsyncDisposableStack();
        writeSysctl('net/bridge/bridge-nf-call-iptables', netfilter);
        const other = await networks.create({ name: 'other' });
        const web = await open(networks, 'web', ['bridge'], {
          ports: [publish(80, 8080), publish(53, 8053, { protocol: 'udp' })],
        });
        const neighbour = await open(networks, 'neighbour', ['bridge']);
        const stranger = await open(networks, 'stranger', [other.name]);
        servers.use(await serve(web.path, 'tcp', 80, 'web'));
        servers.use(await serve(web.path, 'udp', 53, 'web'));
        const cases: [string | undefined, string, string][] = [
          [undefined, '127.0.0.1', '172.17.0.1'],
          [undefined, hostAddress, hostAddress],
          [undefined, '172.17.0.1', '172.17.0.1'],
          [undefined, '::1', '172.17.0.1'],
          [host.outside, hostAddress, outsideAddress],
          [neighbour.path, hostAddress, '172.17.0.1'],
          [neighbour.path, '172.17.0.1', '172.17.0.1'],
          [stranger.path, hostAddress, stranger.ip],
          [web.path, hostAddress, '172.17.0.1'],
        ];
        for (const [from, address, seen] of cases) {
          assert.equal(await ask(from, 'tcp', address, 8080), `web ${seen}`, `tcp to ${address}`);
          assert.equal(await ask(from, 'udp', address, 8053), `web ${seen} ping`, `udp to ${address}`);
        }
      });
    });
  }

  test('a port published on one address answers there only', async () => {
    await withNetworks(async (networks) => {
      await using servers = new AsyncDisposableStack();
      const web = await open(networks, 'web', ['bridge'], {
        ports: [publish(80, 8080, { hostIp: '127.0.0.1' })],
      });
      servers.use(await serve(web.path, 'tcp', 80, 'web'));
      assert.deepEqual(networks.findSandbox(web.id)?.ports, [
        { protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1', hostPort: 8080 },
      ]);
      assert.equal(await ask(undefined, 'tcp', '127.0.0.1', 8080), 'web 172.17.0.1');
      await assert.rejects(ask(undefined, 'tcp', hostAddress, 8080), /ECONNREFUSED/);
      await assert.rejects(ask(host.outside, 'tcp', hostAddress, 8080), /ECONNREFUSED/);
    });
  });

  test('nobody outside reaches loopback addresses or unpublished ports', async () => {
    await withNetworks(async (networks) => {
      await using servers = new AsyncDisposableStack();
      const web = await open(networks, 'web', ['bridge'], {
        ports: [publish(80, 8080, { hostIp: '127.0.0.1' })],
      });
      servers.use(await serve(web.path, 'tcp', 80, 'web'));
      servers.use(await serve(web.path, 'tcp', 81, 'web'));
      const attacker = (...args: string[]): Promise<string> =>
        runIn(host.outside, 'sh', '-c', args.join(' && '));
      await attacker(
        `ip route add 172.17.0.0/16 via ${hostAddress}`,
        'ip addr del 127.0.0.1/8 dev lo',
        'echo 1 >/proc/sys/net/ipv4/conf/host0/route_localnet',
        `ip route add 127.0.0.0/8 via ${hostAddress}`,
      );
      try {
        await assert.rejects(ask(host.outside, 'tcp', web.ip, 81, 300), /timeout/);
        await assert.rejects(ask(host.outside, 'tcp', web.ip, 80, 300), /timeout/);
        await assert.rejects(ask(host.outside, 'tcp', '127.0.0.1', 8080, 300), /timeout/);
      } finally {
        await attacker(
          'ip route del 172.17.0.0/16',
          'ip route del 127.0.0.0/8',
          'ip addr add 127.0.0.1/8 dev lo',
        );
      }
    });
  });
});

describe('published ports', () => {
  test('a port in use names its holder and leaves nothing', async () => {
    await withNetworks(async (networks) => {
      const server = createServer().listen(8080, '0.0.0.0');
      await new Promise((resolve) => server.once('listening', resolve));
      const files = openFiles();
      const rules = host.ruleset();
      const spec = sandboxSpec('web', ['bridge'], { ports: [publish(79, 8079), publish(80, 8080)] });
      await assert.rejects(networks.openSandbox(spec), (error: Error) => {
        assert.match(
          error.message,
          new RegExp(
            `^failed to set up container networking: driver failed programming external connectivity on endpoint web \\([0-9a-f]{64}\\): failed to bind host port for 0\\.0\\.0\\.0:8080:172\\.17\\.0\\.2:80/tcp: address already in use: port 8080 is held by .+ \\(pid ${process.pid}\\)$`,
          ),
        );
        return true;
      });
      assert.equal(networks.findSandbox(spec.containerId), undefined);
      assert.equal(host.ruleset(), rules);
      await eventually(() => openFiles() <= files, 'descriptors closed');
      server.close();
      await networks.openSandbox(spec);
      await assert.rejects(
        networks.openSandbox(sandboxSpec('second', ['bridge'], { ports: [publish(80, 8080)] })),
        /Bind for 0\.0\.0\.0:8080 failed: port is already allocated \(by container web\)/,
      );
    });
  });

  test('ephemeral ports and ranges take the first that is free', async () => {
    await withNetworks(
      async (networks) => {
        const range = { hostPort: { first: 8080, last: 8082 } };
        const a = await open(networks, 'a', ['bridge'], {
          ports: [publish(80), publish(81, undefined, range)],
        });
        const b = await open(networks, 'b', ['bridge'], {
          ports: [publish(80), publish(81, undefined, range)],
        });
        const ports = (id: string): number[] => [
          ...new Set(networks.findSandbox(id)?.ports.map((port) => port.hostPort)),
        ];
        assert.deepEqual(ports(a.id), [40000, 8080]);
        assert.deepEqual(ports(b.id), [40001, 8081]);
        assert.deepEqual(
          networks.findSandbox(a.id)?.ports.map((port) => port.hostIp),
          ['0.0.0.0', '::', '0.0.0.0', '::'],
        );
        await networks.closeSandbox(a.id);
        await networks.closeSandbox(b.id);
      },
      { portRange: { first: 40000, last: 40009 } },
    );
  });

  test('with iptables off every port is relayed', async () => {
    await withNetworks(
      async (networks) => {
        await using servers = new AsyncDisposableStack();
        const web = await open(networks, 'web', ['bridge'], {
          ports: [publish(80, 8080), publish(53, 8053, { protocol: 'udp' })],
        });
        servers.use(await serve(web.path, 'tcp', 80, 'web'));
        servers.use(await serve(web.path, 'udp', 53, 'web'));
        for (const address of ['127.0.0.1', hostAddress, '::1']) {
          assert.equal(await ask(undefined, 'tcp', address, 8080), 'web 172.17.0.1');
          assert.equal(await ask(undefined, 'udp', address, 8053), 'web 172.17.0.1 ping');
        }
        assert.equal(host.ruleset(), '');
      },
      { iptables: false, ipForward: false },
    );
  });
});

describe('user-defined networks', () => {
  test('containers find each other by name, alias, short id and address', async () => {
    await withNetworks(async (networks) => {
      await networks.create({ name: 'net' });
      const a = await open(networks, 'a', ['net']);
      const spec = sandboxSpec('b', []);
      const b = await open(networks, 'b', [], {
        containerId: spec.containerId,
        hostname: 'bee',
        endpoints: [{ network: 'net', spec: { aliases: ['database'] } }],
      });
      for (const name of ['b', 'B', 'database', 'bee', b.id.slice(0, 12), 'b.net']) {
        assert.match(
          await runIn(a.path, 'busybox', 'nslookup', name, '127.0.0.11'),
          new RegExp(`Address: ${b.ip}\n`),
          name,
        );
      }
      const reverse = await runIn(a.path, 'busybox', 'nslookup', b.ip, '127.0.0.11');
      assert.match(reverse, /name = b\.net/);
      assert.match(await runIn(a.path, 'busybox', 'ping', '-c1', '-w2', b.ip), /1 packets received/);
      networks.rename(b.id, 'renamed');
      assert.match(await runIn(a.path, 'busybox', 'nslookup', 'renamed', '127.0.0.11'), new RegExp(b.ip));
    });
  });

  test('networks are isolated from each other, and internal ones from the world', async () => {
    await withNetworks(async (networks) => {
      await using servers = new AsyncDisposableStack();
      await networks.create({ name: 'one' });
      await networks.create({ name: 'two', internal: true });
      const one = await open(networks, 'one', ['one']);
      const two = await open(networks, 'two', ['two']);
      const both = await open(networks, 'both', ['one', 'two']);
      servers.use(await serve(one.path, 'tcp', 80, 'one'));
      servers.use(await serve(two.path, 'tcp', 80, 'two'));
      servers.use(await serve(host.outside, 'tcp', 90, 'outside'));
      await assert.rejects(ask(one.path, 'tcp', two.ip, 80, 300), /timeout/);
      await assert.rejects(ask(two.path, 'tcp', outsideAddress, 90, 300), /ENETUNREACH/);
      assert.equal(await ask(both.path, 'tcp', one.ip, 80), `one ${both.ip}`);
      assert.match(await ask(both.path, 'tcp', two.ip, 80), /^two /);
      assert.equal(await ask(one.path, 'tcp', outsideAddress, 90), `outside ${hostAddress}`);
    });
  });

  test('connect() and disconnect() move a live container', async () => {
    await withNetworks(async (networks) => {
      await using servers = new AsyncDisposableStack();
      await networks.create({ name: 'net', ipam: { pools: [{ subnet: '10.44.0.0/16' }] } });
      const a = await open(networks, 'a', ['bridge'], { ports: [publish(80, 8080)] });
      const endpoint = await networks.connect(a.id, 'net', { ipv4: '10.44.3.10', aliases: ['zed'] });
      assert.equal(endpoint.interfaceName, 'eth1');
      assert.deepEqual(endpoint.ipv4, { address: '10.44.3.10', prefixLength: 16, gateway: '10.44.0.1' });
      assert.match(await runIn(a.path, 'busybox', 'nslookup', 'zed', '127.0.0.11'), /10\.44\.3\.10/);
      assert.match(await runIn(a.path, 'ip', 'route'), /default via 172\.17\.0\.1/);
      await assert.rejects(networks.remove('net'), {
        kind: 'permissionDenied',
        message: `error while removing network: network net has active endpoints (name:"a" id:"${endpoint.id.slice(0, 12)}")`,
      });
      await assert.rejects(networks.connect(a.id, 'net', {}), {
        kind: 'permissionDenied',
        message: 'endpoint with name a already exists in network net',
      });
      servers.use(await serve(a.path, 'tcp', 80, 'a'));
      await networks.disconnect(a.id, 'bridge');
      assert.match(await runIn(a.path, 'ip', 'route'), /default via 10\.44\.0\.1/);
      assert.equal(await ask(undefined, 'tcp', '127.0.0.1', 8080), 'a 10.44.0.1');
      await assert.rejects(networks.disconnect(a.id, 'bridge'), {
        message: `container ${a.id} is not connected to network bridge`,
      });
      await networks.closeSandbox(a.id);
      await networks.remove('net');
    });
  });

  test('connect() leaves nothing in a live container that it could not connect', async () => {
    await withNetworks(async (networks) => {
      await networks.create({ name: 'net', ipam: { pools: [{ subnet: '10.44.0.0/16' }] } });
      const a = await open(networks, 'a', ['bridge']);
      await assert.rejects(networks.connect(a.id, 'net', { linkLocal: ['10.1.2.3'] }), {
        message: 'invalid link local IP address: 10.1.2.3',
      });
      assert.doesNotMatch(await runIn(a.path, 'ip', 'link'), /eth1/);
      assert.equal((await networks.connect(a.id, 'net', {})).interfaceName, 'eth1');
    });
  });

  test('IPv6 is given, published and resolved where it is enabled', async () => {
    await withNetworks(async (networks) => {
      await using servers = new AsyncDisposableStack();
      const record = await networks.create({ name: 'six', enableIPv6: true });
      assert.match(record.pools[1]?.gateway ?? '', /^fd[0-9a-f:]+::1$/);
      const web = await open(networks, 'web', ['six'], { ports: [publish(80, 8080)] });
      const client = await open(networks, 'client', ['six']);
      const address = networks.findSandbox(web.id)?.endpoints[0]?.ipv6?.address ?? '';
      servers.use(await serve(web.path, 'tcp', 80, 'web', '::'));
      assert.match(await ask(client.path, 'tcp', address, 80), /^web fd/);
      assert.match(await ask(undefined, 'tcp', '::1', 8080), /^web fd/);
      assert.match(await ask(undefined, 'tcp', record.pools[1]?.gateway ?? '', 8080), /^web fd/);
      assert.match(
        await runIn(client.path, 'busybox', 'nslookup', 'web', '127.0.0.11'),
        new RegExp(`Address: ${address}`),
      );
      writeSysctl('net/ipv6/conf/all/forwarding', '0');
    });
  });
});

describe('restart', () => {
  test('start() takes up live sandboxes and clears away the dead', async () => {
    const options = host.options();
    const links = host.links();
    const net = { name: 'net' };
    let web = { id: '', path: '', ip: '' };
    let dead = web;
    {
      await using networks = createNetworks(options);
      await networks.start(new Set());
      await networks.create(net);
      web = await open(networks, 'web', ['net'], { ports: [publish(80, 8080)] });
      dead = await open(networks, 'dead', ['net'], { ports: [publish(80, 8081)] });
    }
    {
      await using servers = new AsyncDisposableStack();
      servers.use(await serve(web.path, 'tcp', 80, 'web'));
      assert.match(await ask(undefined, 'tcp', '127.0.0.1', 8080), /^web /, 'published while no daemon runs');
      await runIn('/proc/self/ns/net', 'ip', 'link', 'del', 'wh-test0');
      await using networks = createNetworks(options);
      await networks.start(new Set([web.id]));
      assert.equal(networks.findSandbox(dead.id), undefined);
      assert.equal(networks.findSandbox(web.id)?.endpoints[0]?.ipv4?.address, web.ip);
      assert.equal(networks.endpoints(networks.get('net').id).length, 1);
      assert.match(await ask(undefined, 'tcp', '127.0.0.1', 8080), /^web /);
      await assert.rejects(ask(undefined, 'tcp', '127.0.0.1', 8081), /ECONNREFUSED/);
      const next = await open(networks, 'next', ['net']);
      assert.notEqual(next.ip, web.ip);
      assert.match(await runIn(next.path, 'busybox', 'nslookup', 'web', '127.0.0.11'), new RegExp(web.ip));
      assert.match(await runIn(web.path, 'busybox', 'nslookup', 'next', '127.0.0.11'), new RegExp(next.ip));
      await assert.rejects(
        networks.openSandbox(sandboxSpec('x', ['net'], { ports: [publish(80, 8080)] })),
        /port is already allocated/,
      );
    }
    await teardown(options);
    options.db[Symbol.dispose]();
    await eventually(() => host.links().join() === links.join(), 'links removed');
  });
});

describe('a host with others on it', () => {
  test('start() removes what a daemon left that died in between', async () => {
    const options = host.options();
    const links = host.links();
    const orphan = join(options.runFolder, 'netns', newId());
    {
      await using networks = createNetworks(options);
      await networks.start(new Set());
      const record = await networks.create({ name: 'net' });
      // As if the daemon had been killed before it recorded them.
      createNetns(orphan);
      options.db.run('DELETE FROM networks WHERE id = ?', record.id);
    }
    {
      await using networks = createNetworks(options);
      await networks.start(new Set());
      assert.equal(isNetns(orphan), false);
      assert.equal(host.links().filter((name) => name.startsWith('br-')).length, 0);
    }
    await teardown(options);
    options.db[Symbol.dispose]();
    await eventually(() => host.links().join() === links.join(), 'links removed');
  });

  test('two instances stand side by side', async () => {
    await withNetworks(async (first) => {
      const options = host.options({ instance: 'second', runFolder: join(host.folder, 'second') });
      {
        await using second = createNetworks(options);
        await second.start(new Set());
        assert.equal(second.get('bridge').pools[0]?.subnet, '172.18.0.0/16');
        const a = await open(first, 'a', ['bridge'], { ports: [publish(80, 8080)] });
        const b = await open(second, 'b', ['bridge'], { ports: [publish(80, 8081)] });
        await using servers = new AsyncDisposableStack();
        servers.use(await serve(a.path, 'tcp', 80, 'a'));
        servers.use(await serve(b.path, 'tcp', 80, 'b'));
        servers.use(await serve(host.outside, 'tcp', 90, 'outside'));
        for (const from of [undefined, host.outside, a.path, b.path]) {
          assert.match(await ask(from, 'tcp', hostAddress, 8080), /^a /);
          assert.match(await ask(from, 'tcp', hostAddress, 8081), /^b /);
        }
        assert.equal(await ask(b.path, 'tcp', outsideAddress, 90), `outside ${hostAddress}`);
        await assert.rejects(ask(b.path, 'tcp', a.ip, 80, 300), /timeout/);
        await assert.rejects(
          second.openSandbox(sandboxSpec('c', ['bridge'], { ports: [publish(80, 8080)] })),
          /port 8080 is held by/,
        );
      }
      await teardown(options);
      options.db[Symbol.dispose]();
      assert.equal(readSysctl('net/ipv4/ip_forward'), '1', 'the first still needs it');
    });
  });

  test('forwarding is turned on for bridges only', async () => {
    const third = join(host.folder, 'third');
    createNetns(third);
    try {
      host.attach(third, 'third0', '198.51.100.2/24', '198.51.100.1/24');
      await runIn(third, 'ip', 'route', 'add', 'default', 'via', '198.51.100.2');
      await withNetworks(async (networks) => {
        assert.equal(readSysctl('net/ipv4/ip_forward'), '1');
        const a = await open(networks, 'a', ['bridge']);
        await using servers = new AsyncDisposableStack();
        servers.use(await serve(host.outside, 'tcp', 90, 'outside'));
        servers.use(await serve(third, 'tcp', 91, 'third'));
        await runIn(host.outside, 'ip', 'route', 'add', '198.51.100.0/24', 'via', hostAddress);
        assert.match(await ask(a.path, 'tcp', '198.51.100.1', 91), /^third 198\.51\.100\.2$/);
        await assert.rejects(ask(third, 'tcp', outsideAddress, 90, 300), /timeout/);
      });
    } finally {
      await runIn(host.outside, 'ip', 'route', 'flush', '198.51.100.0/24');
      removeNetns(third);
    }
  });

  test('a bridge that somebody else made is used and left as it is', async () => {
    const run = (...args: string[]): Promise<string> => runIn('/proc/self/ns/net', 'ip', ...args);
    await run('link', 'add', 'theirs0', 'mtu', '1200', 'type', 'bridge');
    await run('addr', 'add', '10.7.0.9/24', 'dev', 'theirs0');
    await run('addr', 'add', '10.8.0.9/24', 'dev', 'theirs0');
    const options = host.options({ bridgeName: 'theirs0' });
    try {
      {
        await using networks = createNetworks(options);
        await networks.start(new Set());
        assert.deepEqual(networks.get('bridge').pools, [{ subnet: '10.7.0.0/24', gateway: '10.7.0.9' }]);
        const { id, ip, path } = await open(networks, 'a', ['bridge']);
        assert.equal(ip, '10.7.0.1');
        assert.match(await runIn(path, 'ip', 'link'), /eth0.* mtu 1200 /);
        await networks.closeSandbox(id);
      }
      await teardown(options);
      assert.match(await run('addr', 'show', 'theirs0'), /10\.7\.0\.9[\s\S]*10\.8\.0\.9/);
      assert.equal(readSysctl('net/ipv4/ip_forward'), '1', 'their bridge may need it');
    } finally {
      await run('link', 'del', 'theirs0');
    }
    await teardown(options);
    assert.equal(readSysctl('net/ipv4/ip_forward'), '0');
    options.db[Symbol.dispose]();
  });

  test('a foreign policy of drop is named in a warning', async () => {
    await runIn(
      '/proc/self/ns/net',
      'nft',
      'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }',
    );
    host.logged.length = 0;
    const options = host.options();
    {
      await using networks = createNetworks(options);
      await networks.start(new Set());
    }
    await teardown(options);
    await runIn('/proc/self/ns/net', 'nft', 'delete table ip filter');
    const warning = host.logged.find((entry) => entry.level === 'warn');
    assert.deepEqual(warning?.fields, { chains: ['ip filter FORWARD'] });
  });

  test('a flushed rule set is made again by the next change', async () => {
    await withNetworks(async (networks) => {
      const a = await open(networks, 'a', ['bridge'], { ports: [publish(80, 8080)] });
      await using servers = new AsyncDisposableStack();
      servers.use(await serve(a.path, 'tcp', 80, 'a'));
      await runIn('/proc/self/ns/net', 'nft', 'delete table inet wharf_test');
      const b = await open(networks, 'b', ['bridge'], { ports: [publish(80, 8081)] });
      assert.match(await ask(undefined, 'tcp', '127.0.0.1', 8080), /^a /);
      await runIn('/proc/self/ns/net', 'nft', 'delete table inet wharf_test');
      await networks.closeSandbox(b.id);
      assert.match(await ask(undefined, 'tcp', '127.0.0.1', 8080), /^a /);
    });
  });

  test('a UDP client follows the port to its next container', async () => {
    await withNetworks(async (networks) => {
      const seen: string[] = [];
      const socket = createSocket('udp4').on('message', (data) => seen.push(data.toString()));
      await using client = new AsyncDisposableStack();
      client.defer(() => void socket.close());
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
      for (const name of ['one', 'two']) {
        // Held, so that the second has another address.
        if (name === 'two') await open(networks, 'holder', ['bridge']);
        const web = await open(networks, name, ['bridge'], {
          ports: [publish(53, 8053, { protocol: 'udp' })],
        });
        await using servers = new AsyncDisposableStack();
        servers.use(await serve(web.path, 'udp', 53, name));
        socket.send('x', 8053, '127.0.0.1');
        await eventually(() => seen.some((text) => text.startsWith(name)), `an answer of ${name}`);
        await networks.closeSandbox(web.id);
      }
    });
  });
});

describe('leaks', () => {
  test('50 sandboxes opened and closed leave no link, namespace, rule or descriptor', async () => {
    await withNetworks(async (networks) => {
      await networks.create({ name: 'net' });
      const once = async (): Promise<void> => {
        const ids = await Promise.all(
          Array.from({ length: 25 }, async (_, index) => {
            const network = index % 2 === 0 ? 'bridge' : 'net';
            const spec = sandboxSpec(`c${index}`, [network], { ports: [publish(80)], containerId: newId() });
            await networks.openSandbox(spec);
            return spec.containerId;
          }),
        );
        await Promise.all(ids.map((id) => networks.closeSandbox(id)));
      };
      await once();
      const links = host.links().filter((name) => !name.startsWith('veth'));
      await eventually(() => host.links().length === links.length, 'veths gone');
      const rules = host.ruleset();
      const files = openFiles();
      await once();
      await eventually(() => host.links().join() === links.join(), 'veths gone');
      assert.equal(host.ruleset(), rules);
      await eventually(() => openFiles() <= files, 'descriptors closed');
      assert.deepEqual(networks.endpoints(networks.get('bridge').id), []);
    });
  });
});
