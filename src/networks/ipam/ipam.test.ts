import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blockOf, formatAddress, formatBlock, overlaps, parseAddress, parseCidr } from '../ip.ts';
import { AddressSpace } from './address-space.ts';
import { choosePools, defaultBridgePools } from './network-pools.ts';
import { chooseSubnet, defaultAddressPools } from './pool-choice.ts';

const context = { own: [], host: [], pools: undefined, seed: '0123456789abcdef' };

test('parseAddress() takes strict forms only', () => {
  for (const text of ['', '10', '10.1', '010.0.0.1', '1.2.3.4.5', '::g', 'fe80::1%eth0', '1.2.3.4/8']) {
    assert.equal(parseAddress(text), undefined, text);
  }
  fc.assert(
    fc.property(fc.bigInt(0n, (1n << 128n) - 1n), (value) => {
      assert.equal(parseAddress(formatAddress({ family: 6, value }))?.value, value);
    }),
  );
});

test('parseCidr() keeps the host part apart', () => {
  const parsed = parseCidr('10.9.0.1/24');
  assert.equal(parsed && formatBlock(parsed.block), '10.9.0.0/24');
  for (const text of ['10.9.0.0', '10.9.0.0/33', '10.9.0.0/-1', '10.9.0.0/08', 'fd00::/129']) {
    assert.equal(parseCidr(text), undefined, text);
  }
});

test("chooseSubnet() goes through Docker's pools and skips what is taken", () => {
  const chosen: string[] = [];
  const taken = [blockOf('172.18.5.0/24')];
  for (let count = 0; count < 30; count += 1) {
    const block = chooseSubnet(4, defaultAddressPools, taken);
    assert.ok(!taken.some((other) => overlaps(block, other)));
    taken.push(block);
    chosen.push(formatBlock(block));
  }
  assert.deepEqual(chosen.slice(0, 3), ['172.17.0.0/16', '172.19.0.0/16', '172.20.0.0/16']);
  assert.deepEqual(chosen.slice(13, 16), ['172.31.0.0/16', '192.168.0.0/20', '192.168.16.0/20'].slice(0, 3));
  assert.throws(() => chooseSubnet(4, defaultAddressPools, taken), {
    message: 'all predefined address pools have been fully subnetted',
  });
});

test('chooseSubnet() finds its way around a large block', () => {
  const pools = [{ base: '10.0.0.0/8', size: 24 }];
  assert.equal(formatBlock(chooseSubnet(4, pools, [blockOf('10.0.0.0/9')])), '10.128.0.0/24');
});

test('choosePools() refuses overlaps with networks, not with the host', () => {
  const busy = { ...context, own: [blockOf('172.17.0.0/16')], host: [blockOf('10.123.0.0/24')] };
  const families = { enableIPv4: true, enableIPv6: false };
  for (const subnet of ['172.17.0.0/16', '172.17.5.0/24', '172.16.0.0/12']) {
    assert.throws(() => choosePools([{ subnet }], families, busy), {
      kind: 'permissionDenied',
      message: 'invalid pool request: Pool overlaps with other one on this address space',
    });
  }
  assert.deepEqual(choosePools([{ subnet: '10.123.0.0/24' }], families, busy), {
    pools: [{ subnet: '10.123.0.0/24', gateway: '10.123.0.1' }],
    ipamConfig: [{ subnet: '10.123.0.0/24' }],
  });
});

test('choosePools() adds the families that are enabled', () => {
  const chosen = choosePools([{ subnet: 'fd12::/64' }], { enableIPv4: true, enableIPv6: true }, context);
  assert.deepEqual(chosen.ipamConfig, [
    { subnet: 'fd12::/64' },
    { subnet: '172.17.0.0/16', gateway: '172.17.0.1' },
  ]);
  assert.equal(chosen.pools[0]?.gateway, 'fd12::1');
  const both = choosePools([], { enableIPv4: false, enableIPv6: true }, context);
  assert.deepEqual(both.pools, [{ subnet: 'fd01:2345:6789::/64', gateway: 'fd01:2345:6789::1' }]);
});

test('choosePools() puts the gateway into the range', () => {
  const pool = { subnet: '10.61.0.0/24', ipRange: '10.61.0.128/25' };
  const chosen = choosePools([pool], { enableIPv4: true, enableIPv6: false }, context);
  assert.equal(chosen.pools[0]?.gateway, '10.61.0.128');
});

test('defaultBridgePools() follows --bip and --fixed-cidr', () => {
  const chosen = defaultBridgePools({ bip: '10.5.0.7/16', fixedCidr: '10.5.1.0/24' }, context);
  assert.deepEqual(chosen.pools, [{ subnet: '10.5.0.0/16', gateway: '10.5.0.7', ipRange: '10.5.1.0/24' }]);
  assert.throws(() => defaultBridgePools({ bip: 'bad' }, context), { kind: 'invalidArgument' });
});

test('AddressSpace gives the lowest free address', () => {
  const space = new AddressSpace({
    subnet: '10.0.0.0/29',
    gateway: '10.0.0.1',
    auxAddresses: { printer: '10.0.0.3' },
  });
  assert.equal(space.allocate(), '10.0.0.2');
  assert.equal(space.allocate(), '10.0.0.4');
  space.reserve('10.0.0.6');
  assert.throws(() => space.reserve('10.0.0.6'), {
    kind: 'permissionDenied',
    message: 'Address already in use',
  });
  assert.equal(space.allocate(), '10.0.0.5');
  assert.equal(space.allocate(), undefined, 'the broadcast address is not given');
  space.release('10.0.0.2');
  assert.equal(space.allocate(), '10.0.0.2');
});

test('AddressSpace refuses configurations that contradict themselves', () => {
  const subnet = '10.62.0.0/24';
  assert.throws(() => new AddressSpace({ subnet, gateway: '10.62.0.0' }), {
    message: 'failed to allocate gateway (10.62.0.0): Address already in use',
  });
  assert.throws(() => new AddressSpace({ subnet, gateway: '10.62.0.1', auxAddresses: { a: '10.62.0.1' } }), {
    message: 'failed to allocate secondary ip address (a:10.62.0.1): Address already in use',
  });
});
