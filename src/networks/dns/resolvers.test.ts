import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { closeSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { decode, encode, streamDecode, streamEncode, type Packet } from 'dns-packet';
import { openListener, openNetns, runInNetns } from '#linux';
import { createNetworks, teardown, type Networks } from '../index.ts';
import { connectStream, outsideAddress, runIn, sandboxSpec, SimulatedHost } from '../simulated-host.ts';

const host = new SimulatedHost();
after(() => host[Symbol.dispose]());

/** A DNS server on port 53 that answers every question with the address it was asked from. */
async function nameserver(path: string): Promise<AsyncDisposable> {
  const fd = openNetns(path);
  const { udp, tcp } = runInNetns(fd, () => ({
    udp: openListener('udp', '0.0.0.0', 53).fd,
    tcp: openListener('tcp', '0.0.0.0', 53).fd,
  }));
  closeSync(fd);
  const reply = (query: Packet, from: string): Parameters<typeof encode>[0] => ({
    type: 'response',
    id: query.id ?? 0,
    questions: query.questions ?? [],
    answers: [{ type: 'A', name: query.questions?.[0]?.name ?? '', data: from, ttl: 1 }],
  });
  const socket = createSocket('udp4');
  socket.on('message', (data, from) =>
    socket.send(encode(reply(decode(data), from.address)), from.port, from.address),
  );
  const server = createServer((client) => {
    client.on('error', () => undefined);
    client.on('data', (data: Buffer) => {
      client.end(streamEncode(reply(streamDecode(data), client.remoteAddress ?? '')));
    });
  });
  await Promise.all([
    new Promise<void>((resolve) => socket.bind({ fd: udp }, resolve)),
    new Promise<void>((resolve) => server.listen({ fd: tcp }, resolve)),
  ]);
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => socket.close(() => resolve()));
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function withNetworks(body: (networks: Networks) => Promise<void>): Promise<void> {
  const hostResolvConf = join(host.folder, 'resolv.conf');
  writeFileSync(hostResolvConf, `nameserver ${outsideAddress}\n`);
  const options = host.options({ hostResolvConf });
  {
    await using networks = createNetworks(options);
    await networks.start(new Set());
    await networks.create({ name: 'net' });
    await body(networks);
  }
  await teardown(options);
  options.db[Symbol.dispose]();
}

/** What a query from a container tells. */
const lookup = (path: string, name: string): Promise<string> =>
  runIn(path, 'busybox', 'nslookup', '-type=a', name, '127.0.0.11').catch((error: unknown) =>
    String((error as { stdout?: unknown }).stdout),
  );

test('other names are asked upstream from the host, and SERVFAIL when nobody answers', async () => {
  await withNetworks(async (networks) => {
    const { path } = await networks.openSandbox(sandboxSpec('a', ['net']));
    {
      await using servers = new AsyncDisposableStack();
      servers.use(await nameserver(host.outside));
      assert.match(await lookup(path, 'example.com'), /Address: 192\.0\.2\.2\n/);
    }
    assert.match(await lookup(path, 'example.com'), /SERVFAIL/);
  });
});

test("a container's own servers are asked from its namespace, over UDP and TCP", async () => {
  await withNetworks(async (networks) => {
    await using servers = new AsyncDisposableStack();
    const server = await networks.openSandbox(sandboxSpec('server', ['net']));
    servers.use(await nameserver(server.path));
    const dns = [server.endpoints[0]?.ipv4?.address ?? ''];
    const client = await networks.openSandbox(sandboxSpec('client', ['net'], { dns }));
    const own = client.endpoints[0]?.ipv4?.address ?? '';
    assert.match(
      await lookup(client.path, 'example.com'),
      new RegExp(`Address: ${own.replaceAll('.', '\\.')}\n`),
    );
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const socket = connectStream(client.path, '127.0.0.11', 53);
      socket.on('error', reject);
      socket.on('data', (data: Buffer) => {
        resolve(data);
        socket.destroy();
      });
      socket.write(streamEncode({ type: 'query', id: 3, questions: [{ type: 'A', name: 'example.com' }] }));
    });
    assert.deepEqual(
      streamDecode(answer).answers?.map((entry) => 'data' in entry && entry.data),
      [own],
    );
  });
});

test('internal networks get no answers from outside', async () => {
  await withNetworks(async (networks) => {
    await using servers = new AsyncDisposableStack();
    servers.use(await nameserver(host.outside));
    await networks.create({ name: 'inside', internal: true });
    const { path, endpoints } = await networks.openSandbox(sandboxSpec('a', ['inside']));
    assert.match(await lookup(path, 'example.com'), /SERVFAIL/);
    assert.match(await lookup(path, 'a'), new RegExp(endpoints[0]?.ipv4?.address ?? 'no address'));
  });
});

test('the container can have a server of its own on port 53', async () => {
  await withNetworks(async (networks) => {
    const { path } = await networks.openSandbox(sandboxSpec('a', ['net']));
    await using servers = new AsyncDisposableStack();
    servers.use(await nameserver(path));
    assert.match(await lookup(path, 'a'), /172\.\d+\.0\.2/);
  });
});
