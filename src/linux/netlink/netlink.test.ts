import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createNetns, openNetns, removeNetns, runInNetns } from '../netns.ts';
import { NetlinkMessage, parseAttributes, splitMessages } from './message.ts';
import {
  addAddress,
  changeLink,
  createBridge,
  createVeth,
  deleteLink,
  findLink,
  listAddresses,
  listLinks,
  listRoutes,
  NetlinkSocket,
  removeAddress,
  removeDefaultRoute,
  replaceDefaultRoute,
} from './index.ts';

/** A netlink socket in a namespace of its own. */
async function withNamespace(
  body: (socket: NetlinkSocket, netnsFd: number) => void | Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-netlink-'));
  const path = join(folder, 'ns');
  createNetns(path);
  const fd = openNetns(path);
  try {
    using socket = runInNetns(fd, () => new NetlinkSocket('route'));
    await body(socket, fd);
  } finally {
    closeSync(fd);
    removeNetns(path);
    rmSync(folder, { recursive: true });
  }
}

test('NetlinkMessage writes what parseAttributes() reads, however long', () => {
  const long = Buffer.alloc(3000, 7);
  const bytes = new NetlinkMessage(16, 0, Buffer.alloc(16))
    .string(3, 'eth0')
    .nest(18, (info) => info.u8(1, 9).u32(2, 0xdeadbeef))
    .bytes(5, long)
    .encode(42);
  const [message] = [...splitMessages(Buffer.concat([bytes, Buffer.from('rest')]))];
  assert.equal(message?.sequence, 42);
  const attributes = parseAttributes(message.payload.subarray(16));
  assert.equal(attributes.get(3)?.toString(), 'eth0\0');
  const nested = parseAttributes(attributes.get(18) ?? Buffer.alloc(0));
  assert.deepEqual([nested.get(1)?.readUInt8(), nested.get(2)?.readUInt32LE()], [9, 0xdeadbeef]);
  assert.deepEqual(attributes.get(5), long);
});

test('parseAttributes() stops at malformed lengths', () => {
  for (const bytes of [[3, 0, 1, 0], [255, 0, 1, 0], [0, 0, 0, 0], [4]]) {
    assert.equal(parseAttributes(Buffer.from(bytes)).size, 0);
  }
});

test('a bridge with a veth: links, addresses and routes are made, listed and removed', async () => {
  await withNamespace(async (socket, netnsFd) => {
    createBridge(socket, { name: 'b0', macAddress: '02:00:00:00:00:01', mtu: 1400 });
    const bridge = findLink(socket, 'b0');
    assert.ok(bridge);
    assert.deepEqual(bridge, {
      index: bridge.index,
      name: 'b0',
      up: false,
      mtu: 1400,
      kind: 'bridge',
      macAddress: '02:00:00:00:00:01',
    });
    createVeth(socket, {
      name: 'v0',
      master: bridge.index,
      mtu: 1400,
      peer: { name: 'v1', macAddress: '02:42:0a:00:00:02', netnsFd },
    });
    const veth = findLink(socket, 'v0');
    assert.equal(veth?.master, bridge.index);
    assert.equal(findLink(socket, 'v1')?.macAddress, '02:42:0a:00:00:02');
    changeLink(socket, veth.index, { up: true, hairpin: true, isolated: true, alias: 'an alias' });
    changeLink(socket, bridge.index, { up: true });
    assert.equal(findLink(socket, 'v0')?.alias, 'an alias');
    addAddress(socket, { index: bridge.index, address: '10.1.0.1', prefixLength: 16 });
    addAddress(socket, { index: bridge.index, address: 'fd00::1', prefixLength: 64 });
    const own = (): string[] =>
      listAddresses(socket)
        .filter((entry) => entry.index === bridge.index)
        .map((entry) => `${entry.address}/${entry.prefixLength}`);
    assert.ok(own().includes('10.1.0.1/16') && own().includes('fd00::1/64'));
    replaceDefaultRoute(socket, '10.1.0.9', bridge.index);
    replaceDefaultRoute(socket, '10.1.0.8', bridge.index);
    const routes = listRoutes(socket).filter((route) => route.family === 4);
    assert.deepEqual(routes, [
      { family: 4, gateway: '10.1.0.8', link: bridge.index },
      { family: 4, destination: '10.1.0.0/16', link: bridge.index },
    ]);
    removeDefaultRoute(socket, '10.1.0.8', bridge.index);
    removeAddress(socket, { index: bridge.index, address: '10.1.0.1', prefixLength: 16 });
    assert.ok(!own().includes('10.1.0.1/16'));
    await deleteLink(socket, veth.index);
    await deleteLink(socket, bridge.index);
    assert.deepEqual(
      listLinks(socket).filter((link) => /^[bv]\d$/.test(link.name)),
      [],
    );
  });
});

test("request() throws the kernel's errno and says what failed", async () => {
  await withNamespace((socket) => {
    createBridge(socket, { name: 'b0', macAddress: '02:00:00:00:00:01', mtu: 1400 });
    assert.throws(() => createBridge(socket, { name: 'b0', macAddress: '02:00:00:00:00:01', mtu: 1400 }), {
      code: 'EEXIST',
      message: /create bridge b0/,
    });
    assert.throws(() => changeLink(socket, 9999, { up: true }), { code: 'ENODEV' });
    assert.equal(findLink(socket, 'nothing'), undefined);
    assert.throws(() => replaceDefaultRoute(socket, '10.1.0.9', 1), {
      message: /default route via 10\.1\.0\.9/,
    });
  });
});
