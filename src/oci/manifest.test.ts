import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  digestOf,
  isIndex,
  isLayer,
  isManifest,
  isSchema1,
  mediaTypes,
  parseImageConfig,
  parseIndex,
  parseManifest,
} from './index.ts';

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const descriptor = { mediaType: mediaTypes.ociConfig, digest: digestOf('x'), size: 1 };
const manifest = {
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: descriptor,
  layers: [descriptor],
};
const index = {
  schemaVersion: 2,
  manifests: [{ ...descriptor, platform: { os: 'linux', architecture: 'amd64' } }],
};
const config = {
  os: 'linux',
  architecture: 'amd64',
  config: { Cmd: ['sh'], ExposedPorts: { '80/tcp': {} } },
  rootfs: { type: 'layers', diff_ids: [digestOf('x')] },
  history: [{ created_by: 'x', empty_layer: true }],
};

test('parseManifest() and parseIndex() read what they should', () => {
  assert.deepEqual(parseManifest(bytes(manifest)), manifest);
  assert.deepEqual(parseIndex(bytes(index)), index);
  const blank = { ...index, manifests: [{ ...descriptor, platform: {} }] };
  assert.deepEqual(parseIndex(bytes(blank)).manifests, [descriptor]);
});

test('parseManifest() refuses', () => {
  const table: [value: unknown, message: RegExp][] = [
    [[], /must be an object/],
    [{ schemaVersion: 1 }, /schema 1 was retired/],
    [{ schemaVersion: 3 }, /unrecognized manifest schema version 3/],
    [{ ...manifest, mediaType: mediaTypes.ociIndex }, /its mediaType is/],
    [{ ...manifest, manifests: [] }, /it has "manifests"/],
    [{ ...manifest, config: undefined }, /config must be an object/],
    [{ ...manifest, layers: {} }, /layers must be a list/],
    [{ ...manifest, layers: [{ ...descriptor, size: -1 }] }, /layers\[0\]\.size/],
    [{ ...manifest, layers: [{ ...descriptor, digest: 'sha256:../../x' }] }, /is no digest/],
    [{ ...manifest, annotations: { a: 1 } }, /annotations has the wrong type/],
  ];
  for (const [value, message] of table) {
    assert.throws(() => parseManifest(bytes(value)), { kind: 'invalidArgument', message });
  }
  assert.throws(() => parseManifest(new Uint8Array([0xff])), /not a JSON document/);
  assert.throws(() => parseIndex(bytes({ ...index, layers: [] })), /it has "layers"/);
});

test('parseImageConfig() reads, and refuses wrong types', () => {
  assert.deepEqual(parseImageConfig(bytes(config)), config);
  const nulls = { ...config, config: { ...config.config, Env: null, User: null } };
  assert.deepEqual(parseImageConfig(bytes(nulls)), config);
  assert.deepEqual(parseImageConfig(bytes({ rootfs: {}, config: null, author: null })), {
    os: '',
    architecture: '',
    rootfs: { type: 'layers', diff_ids: [] },
  });
  const table: [value: unknown, message: RegExp][] = [
    [{ ...config, rootfs: undefined }, /invalid rootfs/],
    [{ ...config, config: { Cmd: 'sh' } }, /config\.Cmd has the wrong type/],
    [{ ...config, config: { Volumes: ['x'] } }, /config\.Volumes/],
    [{ ...config, config: { Healthcheck: { Test: 'x' } } }, /Healthcheck\.Test/],
    [{ ...config, rootfs: { type: 'layers', diff_ids: ['x'] } }, /is no digest/],
    [{ ...config, history: [1] }, /history\[0\]/],
  ];
  for (const [value, message] of table) {
    assert.throws(() => parseImageConfig(bytes(value)), { kind: 'invalidArgument', message });
  }
});

test('parsers answer any JSON with a value or invalidArgument', () => {
  const shapes = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        schemaVersion: fc.constant(2),
        config: fc.jsonValue(),
        layers: fc.jsonValue(),
        manifests: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
    fc.record({ rootfs: fc.jsonValue(), config: fc.jsonValue(), history: fc.jsonValue() }),
  );
  fc.assert(
    fc.property(shapes, (value) => {
      for (const parse of [parseManifest, parseIndex, parseImageConfig]) {
        try {
          parse(bytes(value));
        } catch (error) {
          assert.equal((error as { kind?: string }).kind, 'invalidArgument', String(error));
        }
      }
    }),
  );
});

test('isIndex(), isManifest(), isLayer(), isSchema1() know both families', () => {
  assert.ok(isIndex(mediaTypes.ociIndex) && isIndex(mediaTypes.dockerManifestList));
  assert.ok(isManifest(mediaTypes.ociManifest) && isManifest(mediaTypes.dockerManifest));
  assert.ok(isLayer(mediaTypes.ociLayerZstd) && isLayer(mediaTypes.dockerLayerGzip));
  assert.ok(isSchema1(mediaTypes.dockerSchema1Signed) && !isManifest(mediaTypes.dockerSchema1));
});
