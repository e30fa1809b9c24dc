import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createNetns, isNetns, listNetns, openNetns, removeNetns, runInNetns } from './netns.ts';
import { changeLink, NetlinkSocket } from './netlink/index.ts';
import { Nftables } from './nftables.ts';
import { openListener } from './sockets.ts';
import { readSysctl, writeSysctl } from './sysctl.ts';

const folder = mkdtempSync(join(tmpdir(), 'wharf-netns-'));
test.after(() => rmSync(folder, { recursive: true }));
const here = (): string => readlinkSync('/proc/thread-self/ns/net');
const files = (): number => readdirSync('/proc/self/fd').length;

/** A namespace that is gone afterwards, with every descriptor. */
function withNetns(name: string, body: (fd: number, path: string) => void): void {
  const path = join(folder, name);
  const before = files();
  createNetns(path);
  const fd = openNetns(path);
  try {
    body(fd, path);
  } finally {
    closeSync(fd);
    removeNetns(path);
  }
  assert.equal(files(), before);
  assert.equal(isNetns(path), false);
}

test('runInNetns() enters and comes back, also after an error', () => {
  withNetns('a', (fd, path) => {
    const home = here();
    assert.notEqual(runInNetns(fd, here), home);
    assert.throws(
      () =>
        runInNetns(fd, () => {
          throw new Error('within');
        }),
      /within/,
    );
    assert.equal(here(), home);
    assert.ok(isNetns(path));
    assert.deepEqual(listNetns(folder), [path]);
  });
});

test('createNetns() refuses a path in use, removeNetns() is idempotent', () => {
  withNetns('b', (_, path) => {
    const home = here();
    assert.throws(() => createNetns(path), { code: 'EEXIST' });
    assert.equal(here(), home);
  });
  removeNetns(join(folder, 'b'));
  const plain = join(folder, 'plain');
  writeFileSync(plain, '');
  assert.equal(isNetns(plain), false);
  removeNetns(plain);
});

test('writeSysctl() and readSysctl() mean the namespace they are called in', () => {
  withNetns('c', (fd) => {
    const outside = readSysctl('net/ipv4/ip_default_ttl');
    runInNetns(fd, () => {
      writeSysctl('net/ipv4/ip_default_ttl', '42');
      assert.equal(readSysctl('net/ipv4/ip_default_ttl'), '42');
    });
    assert.equal(readSysctl('net/ipv4/ip_default_ttl'), outside);
    assert.equal(readSysctl('net/ipv4/no_such_thing'), undefined);
  });
});

test('openListener() binds in the namespace and says what is in the way', () => {
  withNetns('d', (fd) => {
    runInNetns(fd, () => {
      // Without a single address the kernel lets everything be bound.
      using links = new NetlinkSocket('route');
      changeLink(links, 1, { up: true });
      const first = openListener('tcp', '0.0.0.0', 0);
      assert.ok(first.port > 0);
      assert.throws(() => openListener('tcp', '127.0.0.1', first.port), { code: 'EADDRINUSE' });
      closeSync(openListener('udp', '0.0.0.0', first.port).fd);
      closeSync(openListener('tcp', '::', first.port).fd);
      closeSync(first.fd);
      closeSync(openListener('tcp', '127.0.0.1', first.port).fd);
      assert.throws(() => openListener('tcp', '192.0.2.99', 80), {
        code: 'EADDRNOTAVAIL',
        message: /192\.0\.2\.99 port 80\/tcp/,
      });
    });
  });
});

test('Nftables runs all or nothing, and lists what is there', () => {
  const path = join(folder, 'e');
  createNetns(path);
  const fd = openNetns(path);
  try {
    using nft = runInNetns(fd, () => new Nftables());
    nft.run('add table inet t; add set inet t s { type inet_service; }');
    assert.throws(() => nft.run('add element inet t s { 80 }\nadd element inet t absent { 81 }'), {
      kind: 'internal',
      message: /nftables: .*No such file or directory/s,
    });
    assert.ok(!JSON.stringify(nft.list('list table inet t')).includes('80'));
    assert.throws(() => nft.run('nonsense'), { message: /syntax error/ });
    nft.run('add element inet t s { 80 }');
    assert.deepEqual(
      nft.list('list set inet t s').map((entry) => Object.keys(entry)[0]),
      ['metainfo', 'set'],
    );
  } finally {
    closeSync(fd);
    removeNetns(path);
  }
});
