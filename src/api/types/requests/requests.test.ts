import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parseContainerCreateRequest,
  parseExecConfig,
  parseNetworkCreateRequest,
  parseVolumeCreateRequest,
} from '../index.ts';

test('parseContainerCreateRequest() matches keys in any case and ignores unknown ones', () => {
  assert.deepEqual(
    parseContainerCreateRequest({
      image: 'busybox',
      CMD: 'sleep 1',
      LABELS: { a: 'b' },
      bogus: 1,
      hostconfig: { memory: 5, portbindings: { '80/tcp': [{ hostport: '80' }], '81/tcp': null } },
    }),
    {
      Image: 'busybox',
      Cmd: ['sleep 1'],
      Labels: { a: 'b' },
      HostConfig: { Memory: 5, PortBindings: { '80/tcp': [{ HostPort: '80' }], '81/tcp': null } },
    },
  );
});

test('parseContainerCreateRequest() takes null as the zero value', () => {
  assert.deepEqual(
    parseContainerCreateRequest({
      Env: null,
      User: null,
      Cmd: [null],
      HostConfig: null,
      Volumes: { '/a': null },
      NetworkingConfig: { EndpointsConfig: { default: null } },
    }),
    { Cmd: [''], Volumes: { '/a': {} }, NetworkingConfig: { EndpointsConfig: { default: null } } },
  );
  assert.deepEqual(parseContainerCreateRequest(null), {});
});

test('parseContainerCreateRequest() fills and cuts the console size', () => {
  assert.deepEqual(parseContainerCreateRequest({ HostConfig: { ConsoleSize: [7] } }).HostConfig, {
    ConsoleSize: [7, 0],
  });
});

test('parseContainerCreateRequest() keeps a key __proto__ harmless', () => {
  const { Labels } = parseContainerCreateRequest(JSON.parse('{"Labels":{"__proto__":"x"}}'));
  assert.deepEqual(Object.entries(Labels ?? {}), [['__proto__', 'x']]);
});

/** Texts recorded from the reference engine. */
const refused: readonly (readonly [(body: unknown) => unknown, unknown, string])[] = [
  [parseContainerCreateRequest, { Image: 5 }, 'number into Go struct field .Image of type string'],
  [
    parseContainerCreateRequest,
    { HostConfig: { Memory: 'x' }, Image: 5 },
    'string into Go struct field .HostConfig.Memory of type int64',
  ],
  [
    parseContainerCreateRequest,
    { HostConfig: 'x' },
    'string into Go struct field .HostConfig of type container.HostConfig',
  ],
  [parseContainerCreateRequest, { Env: [1] }, 'number into .Env.0 of type string'],
  [parseContainerCreateRequest, { Env: 'x' }, 'string into Go struct field .Env of type []string'],
  [parseContainerCreateRequest, { Labels: { a: 1 } }, 'number into Go struct field .Labels.a of type string'],
  [parseContainerCreateRequest, { Cmd: [1] }, 'array into Go value of type string'],
  [
    parseContainerCreateRequest,
    { HostConfig: { Memory: 1.5 } },
    'number 1.5 into Go struct field .HostConfig.Memory of type int64',
  ],
  [parseContainerCreateRequest, [], 'array into Go value of type container.CreateRequest'],
  [
    parseContainerCreateRequest,
    { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: 80 }] } } },
    'number into Go struct field .HostConfig.PortBindings.80~1tcp.0.HostPort of type string',
  ],
  [
    parseContainerCreateRequest,
    { HostConfig: { PortBindings: { '80/tcp': 'x' } } },
    'string into Go struct field .HostConfig.PortBindings.80~1tcp of type []nat.PortBinding',
  ],
  [
    parseContainerCreateRequest,
    { HostConfig: { ConsoleSize: [-1, 'a'] } },
    'number -1 into .HostConfig.ConsoleSize.0 of type uint',
  ],
  [
    parseContainerCreateRequest,
    { HostConfig: { BlkioDeviceReadBps: [{ Rate: -1 }] } },
    'number -1 into Go struct field .HostConfig.BlkioDeviceReadBps.0.Rate of type uint64',
  ],
  [
    parseContainerCreateRequest,
    { Healthcheck: { Interval: '10s' } },
    'string into Go struct field .Healthcheck.Interval of type time.Duration',
  ],
  [
    parseContainerCreateRequest,
    { ExposedPorts: ['80'] },
    'array into Go struct field .ExposedPorts of type nat.PortSet',
  ],
  [
    parseContainerCreateRequest,
    { HostConfig: { Mounts: {} } },
    'object into Go struct field .HostConfig.Mounts of type []mount.Mount',
  ],
  [
    parseNetworkCreateRequest,
    { IPAM: { Config: {} } },
    'object into Go struct field CreateRequest.IPAM.Config of type []network.IPAMConfig',
  ],
  [
    parseVolumeCreateRequest,
    { DriverOpts: [] },
    'array into Go struct field CreateOptions.DriverOpts of type map[string]string',
  ],
  [parseExecConfig, { Cmd: 5 }, 'number into Go struct field ExecOptions.Cmd of type []string'],
  [
    parseExecConfig,
    { ConsoleSize: 5 },
    'number into Go struct field ExecOptions.ConsoleSize of type [2]uint',
  ],
];

for (const [parse, body, text] of refused) {
  test(`the request parsers refuse ${JSON.stringify(body)} in Go's words`, () => {
    assert.throws(() => parse(body), {
      kind: 'invalidArgument',
      message: `invalid JSON: json: cannot unmarshal ${text}`,
    });
  });
}
