import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSpec, NetworkRecord, NetworkSpec } from './networks.ts';
import { dnsNames, macOf, validateEndpointSpec } from './endpoint-spec.ts';
import { validateNetworkSpec } from './network-spec.ts';

const pool = (more: object): NetworkSpec => ({
  name: 'n',
  ipam: { pools: [{ subnet: '10.9.0.0/24', ...more }] },
});
const option = (name: string, value: string): NetworkSpec => ({
  name: 'n',
  options: { [`com.docker.network.${name}`]: value },
});
const config = 'invalid network config:\n';

/** Each as the reference engine 28.5 answers it. */
const refused: readonly (readonly [spec: NetworkSpec, kind: string, message: string])[] = [
  [{ name: '' }, 'invalidArgument', 'invalid name: name is empty'],
  [{ name: 'bridge' }, 'permissionDenied', 'operation is not permitted on predefined bridge network '],
  [{ name: 'default' }, 'permissionDenied', 'operation is not permitted on predefined default network '],
  [{ name: 'n', driver: 'nope' }, 'notFound', 'plugin "nope" not found'],
  [{ name: 'n', driver: 'none' }, 'notFound', 'plugin "none" not found'],
  [{ name: 'n', driver: 'host' }, 'permissionDenied', 'only one instance of "host" network is allowed'],
  [{ name: 'n', driver: 'null' }, 'permissionDenied', 'only one instance of "null" network is allowed'],
  [{ name: 'n', ipam: { driver: 'zzz' } }, 'notFound', 'plugin "zzz" not found'],
  [{ name: 'n', enableIPv4: false }, 'invalidArgument', 'IPv4 or IPv6 must be enabled'],
  [pool({ subnet: 'bad' }), 'invalidArgument', `${config}invalid subnet bad: invalid CIDR block notation`],
  [pool({ subnet: '' }), 'invalidArgument', `${config}invalid subnet : invalid CIDR block notation`],
  [
    pool({ subnet: '10.9.0.1/24' }),
    'invalidArgument',
    `${config}invalid subnet 10.9.0.1/24: it should be 10.9.0.0/24`,
  ],
  [
    pool({ gateway: '10.8.0.1' }),
    'invalidArgument',
    `${config}invalid gateway 10.8.0.1: parent subnet 10.9.0.0/24 doesn't contain this address`,
  ],
  [pool({ gateway: 'bad' }), 'invalidArgument', `${config}invalid gateway bad: invalid address`],
  [
    pool({ gateway: '10.9.0.1/24' }),
    'invalidArgument',
    `${config}invalid gateway 10.9.0.1/24: invalid address`,
  ],
  [
    pool({ subnet: 'fd12::/64', gateway: '10.1.1.1' }),
    'invalidArgument',
    `${config}invalid gateway 10.1.1.1: parent subnet is an IPv6 block`,
  ],
  [
    pool({ ipRange: '10.8.0.0/25' }),
    'invalidArgument',
    `${config}invalid ip-range 10.8.0.0/25: parent subnet 10.9.0.0/24 doesn't contain ip-range`,
  ],
  [
    pool({ ipRange: '10.9.0.0/16' }),
    'invalidArgument',
    `${config}invalid ip-range 10.9.0.0/16: CIDR block is bigger than its parent subnet 10.9.0.0/24`,
  ],
  [pool({ ipRange: 'bad' }), 'invalidArgument', `${config}invalid ip-range bad: invalid CIDR block notation`],
  [
    pool({ ipRange: '10.9.0.130/25' }),
    'invalidArgument',
    `${config}invalid ip-range 10.9.0.130/25: it should be 10.9.0.128/25`,
  ],
  [
    pool({ auxAddresses: { a: '10.8.0.5' } }),
    'invalidArgument',
    `${config}invalid auxiliary address a: parent subnet 10.9.0.0/24 doesn't contain this address`,
  ],
  [
    pool({ auxAddresses: { a: 'bad' } }),
    'invalidArgument',
    `${config}invalid auxiliary address a: invalid address`,
  ],
  [
    { name: 'n', ipam: { pools: [{ subnet: 'bad' }, { subnet: '10.70.0.1/24' }] } },
    'invalidArgument',
    `${config}* invalid subnet bad: invalid CIDR block notation\n* invalid subnet 10.70.0.1/24: it should be 10.70.0.0/24`,
  ],
  [
    option('bridge.enable_icc', 'zz'),
    'invalidArgument',
    'failed to parse com.docker.network.bridge.enable_icc value: zz (strconv.ParseBool: parsing "zz": invalid syntax)',
  ],
  [
    option('driver.mtu', 'zz'),
    'invalidArgument',
    'failed to parse com.docker.network.driver.mtu value: zz (strconv.Atoi: parsing "zz": invalid syntax)',
  ],
  [option('driver.mtu', '-4'), 'invalidArgument', 'invalid MTU number: -4'],
  [
    option('bridge.host_binding_ipv4', 'zz'),
    'invalidArgument',
    'failed to parse com.docker.network.bridge.host_binding_ipv4 value: zz (nil ip)',
  ],
];

for (const [spec, kind, message] of refused) {
  test(`validateNetworkSpec() refuses ${JSON.stringify(spec)}`, () => {
    assert.throws(() => validateNetworkSpec(spec), { kind, message });
  });
}

test('validateNetworkSpec() takes odd names and unknown options, as Docker does', () => {
  for (const name of ['a b', '-x', '.']) validateNetworkSpec({ name, options: { foo: 'bar' } });
});

const record = (more: Partial<NetworkRecord>): NetworkRecord => ({
  id: 'f'.repeat(64),
  name: 'net',
  driver: 'bridge',
  internal: false,
  attachable: false,
  enableIPv4: true,
  enableIPv6: false,
  ipamDriver: 'default',
  ipamOptions: {},
  pools: [],
  ipamConfig: [],
  requestedSubnets: ['10.44.0.0/16'],
  options: {},
  labels: {},
  createdAt: 0n,
  ...more,
});

const unconfigured =
  'user specified IP address is supported only when connecting to networks with user configured subnets';
const refusedEndpoints: readonly (readonly [NetworkRecord, EndpointSpec, string])[] = [
  [
    record({ name: 'bridge', requestedSubnets: [] }),
    { ipv4: '172.17.0.9' },
    `invalid config for network bridge: invalid endpoint settings:\n* user specified IP address is supported on user defined networks only\n* ${unconfigured}`,
  ],
  [
    record({ requestedSubnets: [] }),
    { ipv4: '172.18.0.9' },
    `invalid config for network net: invalid endpoint settings:\n${unconfigured}`,
  ],
  [
    record({}),
    { ipv4: '10.45.3.9' },
    'invalid config for network net: invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 10.45.3.9',
  ],
  [
    record({}),
    { ipv6: 'fd00::4' },
    `invalid config for network net: invalid endpoint settings:\n${unconfigured}`,
  ],
  [
    record({}),
    { ipv4: 'zz' },
    'invalid config for network net: invalid endpoint settings:\n* invalid IPv4 address: zz\n* no configured subnet or ip-range contain the IP address zz',
  ],
  [record({}), { macAddress: 'zz' }, 'invalid config for network net: invalid MAC address zz'],
];

for (const [network, spec, message] of refusedEndpoints) {
  test(`validateEndpointSpec() refuses ${JSON.stringify(spec)} on ${network.name}`, () => {
    assert.throws(() => validateEndpointSpec(network, spec), { kind: 'invalidArgument', message });
  });
}

test('dnsNames() are name, aliases, short id and hostname; none on the default bridge', () => {
  const container = { containerId: '1ff5e164c583'.padEnd(64, '0'), containerName: 'nw1', hostname: 'hh1' };
  assert.deepEqual(dnsNames(record({}), container, ['al1']), ['nw1', 'al1', '1ff5e164c583', 'hh1']);
  assert.deepEqual(dnsNames(record({}), { ...container, hostname: '1ff5e164c583' }, []), [
    'nw1',
    '1ff5e164c583',
  ]);
  assert.deepEqual(dnsNames(record({ name: 'bridge' }), container, ['al1']), []);
});

test('macOf() is made of the IPv4 address', () => {
  assert.equal(macOf('172.17.0.2'), '02:42:ac:11:00:02');
  assert.equal(macOf(undefined), undefined);
});
