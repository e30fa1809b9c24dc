import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '#oci';
import type { VolumeRecord } from '#volumes';
import { settleMounts, type MountHost } from './mounts.ts';

const volume = (name: string): VolumeRecord => ({
  name,
  driver: 'local',
  mountpoint: `/v/${name}/_data`,
  labels: {},
  options: {},
  anonymous: name === 'made-up',
  createdAt: 0n,
  locked: false,
});
const host: MountHost = {
  createVolume: async (spec) => Promise.resolve(volume(spec.name ?? 'made-up')),
  exists: async (path) => Promise.resolve(path === '/there'),
  image: (name) => ({ name, id: 'sha256:1' as Digest, chainId: 'sha256:2' as Digest }),
  mountsOf: () => [],
};

test('settleMounts() tells binds from volumes and reads modes', async () => {
  const mounts = await settleMounts({}, { Binds: ['/there:/a:ro', 'data:/b/', '/new:/c:rshared'] }, host);
  assert.deepEqual(
    mounts.map(({ type, source, destination, rw, propagation }) => [
      type,
      source,
      destination,
      rw,
      propagation,
    ]),
    [
      ['bind', '/there', '/a', false, 'rprivate'],
      ['volume', '/v/data/_data', '/b', true, ''],
      ['bind', '/new', '/c', true, 'rshared'],
    ],
  );
});

test('settleMounts() gives an image volume way to a mount of the same place', async () => {
  const mounts = await settleMounts(
    { Volumes: { '/data': {}, '/more': {} } },
    { Binds: ['/there:/data'] },
    host,
  );
  assert.deepEqual(
    mounts.map(({ type, destination }) => `${type} ${destination}`),
    ['bind /data', 'volume /more'],
  );
});

test('settleMounts() puts parents before children', async () => {
  const mounts = await settleMounts({}, { Binds: ['/there:/a/b/c', '/there:/a'] }, host);
  assert.deepEqual(
    mounts.map(({ destination }) => destination),
    ['/a', '/a/b/c'],
  );
});

const refused: readonly [string, object, RegExp][] = [
  ['an unknown mode', { Binds: ['/there:/x:zzz'] }, /^invalid mode: zzz$/],
  ['the same place twice', { Binds: ['/there:/x', 'data:/x'] }, /^Duplicate mount point: \/x$/],
  ['the root', { Binds: ['/there:/'] }, /destination can't be '\/'/],
  ['a relative destination', { Binds: ['/there:x'] }, /mount path must be absolute/],
  [
    'a bind source that is missing',
    { Mounts: [{ Type: 'bind', Source: '/nope', Target: '/x' }] },
    /^invalid mount config for type "bind": bind source path does not exist: \/nope$/,
  ],
];
for (const [name, request, error] of refused) {
  test(`settleMounts() refuses ${name}`, async () => {
    await assert.rejects(settleMounts({}, request, host), ({ message }: Error) => error.test(message));
  });
}
