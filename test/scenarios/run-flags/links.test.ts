import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { Engine } from '../docker-cli/engine.ts';
import { covers } from './covers.ts';

let engine: Engine;
before(async () => (engine = await Engine.start()));
after(() => engine[Symbol.asyncDispose]());

const reference = process.env['WHARF_TEST_HOST'] !== undefined;
const ours = { skip: reference && 'it keeps old names, or would disturb others' };
const sleeper = (name: string, ...flags: string[]): Promise<string> =>
  engine.docker('run', '-d', '--name', name, ...flags, 'busybox', 'sleep', '1000');
const refused = (...flags: string[]): Promise<string> =>
  engine.fails(125, 'run', '--rm', '--name', 'rf-client', ...flags, 'busybox', 'true');
const addressOf = (name: string): Promise<string> =>
  engine.inspect(name, '{{.NetworkSettings.Networks.bridge.IPAddress}}');
const hostsOf = async (name: string): Promise<string[]> =>
  (await engine.docker('exec', name, 'cat', '/etc/hosts')).split('\n');

covers('--link', 'names and variables of the linked, on the default bridge', async () => {
  await sleeper('rf-db', '-e', 'FOO=bar', '--expose', '80', '--expose', '81-82/udp');
  await sleeper('rf-web', '--link', 'rf-db:db', '--link', 'rf-db');
  const id = (await engine.inspect('rf-db', '{{.Id}}')).slice(0, 12);
  const address = await addressOf('rf-db');
  const hosts = await hostsOf('rf-web');
  assert.ok(hosts.includes(`${address}\tdb ${id} rf-db`), hosts.join('\n'));
  assert.ok(hosts.includes(`${address}\trf-db ${id}`), hosts.join('\n'));
  const variables = [
    `DB_PORT=tcp://${address}:80`,
    `DB_PORT_80_TCP=tcp://${address}:80`,
    `DB_PORT_80_TCP_ADDR=${address}`,
    'DB_PORT_80_TCP_PORT=80',
    'DB_PORT_80_TCP_PROTO=tcp',
    `DB_PORT_82_UDP=udp://${address}:82`,
    `DB_PORT_81_UDP_START=udp://${address}:81`,
    'DB_PORT_81_UDP_PORT_START=81',
    `DB_PORT_81_UDP_END=udp://${address}:82`,
    'DB_PORT_81_UDP_PORT_END=82',
    'DB_NAME=/rf-web/db',
    'DB_ENV_FOO=bar',
    'RF_DB_NAME=/rf-web/rf-db',
  ];
  const main = await engine.docker('exec', 'rf-web', 'sh', '-c', "tr '\\0' '\\n' </proc/1/environ");
  const exec = await engine.docker('exec', 'rf-web', 'env');
  for (const variable of variables) {
    assert.ok(main.split('\n').includes(variable), `${variable}\n${main}`);
    assert.ok(exec.split('\n').includes(variable), `exec: ${variable}\n${exec}`);
  }
  assert.deepEqual(
    (JSON.parse(await engine.inspect('rf-web', '{{json .HostConfig.Links}}')) as string[]).sort(),
    ['/rf-db:/rf-web/db', '/rf-db:/rf-web/rf-db'],
  );
  assert.equal(await engine.inspect('/rf-web/db', '{{.Name}}'), '/rf-db');
  assert.match(await engine.docker('exec', 'rf-web', 'ping', '-c', '1', '-W', '5', 'db'), / 0% packet loss/);
});

covers(
  '--link',
  'follows a rename, a restart and a new address',
  async () => {
    await engine.docker('rename', 'rf-db', 'rf-store');
    const links = JSON.parse(await engine.inspect('rf-web', '{{json .HostConfig.Links}}')) as string[];
    assert.deepEqual(links.sort(), ['/rf-store:/rf-web/db', '/rf-store:/rf-web/rf-db']);
    await engine.docker('exec', 'rf-web', 'sh', '-c', "echo '9.9.9.9 own' >>/etc/hosts");
    const before = await addressOf('rf-store');
    await engine.docker('stop', '-t', '0', 'rf-store');
    await sleeper('rf-between');
    await engine.docker('start', 'rf-store');
    const address = await addressOf('rf-store');
    assert.notEqual(address, before);
    const hosts = await hostsOf('rf-web');
    assert.ok(
      hosts.some((line) => line.startsWith(`${address}\tdb `)),
      hosts.join('\n'),
    );
    assert.ok(!hosts.some((line) => line.startsWith(`${before}\tdb `)), hosts.join('\n'));
    assert.ok(hosts.includes('9.9.9.9 own'), hosts.join('\n'));
    await engine.docker('restart', '-t', '0', 'rf-web');
    assert.match(
      await engine.docker('exec', 'rf-web', 'env'),
      new RegExp(`^DB_PORT=tcp://${address}:80$`, 'm'),
    );
    await engine.docker('rename', 'rf-web', 'rf-site');
    assert.equal(await engine.inspect('/rf-site/db', '{{.Name}}'), '/rf-store');
    const { body } = (await engine.daemon?.get('/containers/json')) ?? { body: '[]' };
    const listed = (JSON.parse(body) as { Names: string[] }[]).map(({ Names }) => Names.join(' '));
    assert.ok(listed.includes('/rf-site/db /rf-site/rf-db /rf-store'), listed.join('\n'));
    await engine.docker('rm', '-f', 'rf-between');
  },
  ours,
);

covers(
  '--link',
  'is removed by rm --link, and needs what it links to',
  async () => {
    await engine.docker('rm', '--link', 'rf-site/db');
    assert.equal(
      await engine.inspect('rf-site', '{{json .HostConfig.Links}}'),
      '["/rf-store:/rf-site/rf-db"]',
    );
    assert.match(await engine.fails(1, 'rm', '--link', 'rf-site/db'), /No such container: rf-site\/db/);
    await engine.docker('stop', '-t', '0', 'rf-store');
    const stopped = (who: string): RegExp =>
      new RegExp(`Cannot link to a non running container: /rf-store AS /${who}`);
    assert.match(await refused('--link', 'rf-store:db'), stopped('rf-client/db'));
    await engine.docker('stop', '-t', '0', 'rf-site');
    assert.match(await engine.fails(1, 'start', 'rf-site'), stopped('rf-site/rf-db'));
    await engine.docker('rm', 'rf-store');
    assert.match(await engine.fails(1, 'start', 'rf-site'), stopped('rf-site/rf-db'));
    await engine.docker('rm', 'rf-site');
    assert.match(
      await refused('--link', 'rf-none:db'),
      /could not get container for rf-none: No such container: rf-none/,
    );
    assert.match(await refused('--link', 'a:b:c'), /bad format for links: a:b:c/);
    assert.match(
      await refused('--link', 'x', '--network', 'host'),
      /host type networking can't be used with links/,
    );
  },
  ours,
);

covers('--link', 'is an alias on a network of one’s own', async () => {
  await engine.docker('network', 'create', 'rf-net');
  await sleeper('rf-target', '--network', 'rf-net');
  const address = await engine.inspect(
    'rf-target',
    '{{(index .NetworkSettings.Networks "rf-net").IPAddress}}',
  );
  assert.equal(
    await engine.script(
      ['--network', 'rf-net', '--link', 'rf-target:db'],
      "nslookup db | grep -A1 '^Name' | tail -1",
    ),
    `Address: ${address}`,
  );
  await engine.docker('rm', '-f', 'rf-target');
  await engine.docker('network', 'rm', 'rf-net');
});
