import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attestOptionsOf } from './attest-options.ts';

const plain = { builderId: '', isReproducible: false, isInlineOnly: false, fileName: 'provenance.json' };

test('attestOptionsOf() reads what is asked for among the options of a frontend', () => {
  assert.deepEqual(attestOptionsOf({ filename: 'Dockerfile' }), {});
  assert.deepEqual(attestOptionsOf({ 'attest:provenance': '' }), {
    provenance: { ...plain, mode: 'max', version: 'v0.2' },
  });
  assert.deepEqual(attestOptionsOf({ 'attest:provenance': 'mode=min,inline-only=true' }), {
    provenance: { ...plain, mode: 'min', version: 'v0.2', isInlineOnly: true },
  });
  const all = 'version=v1,builder-id=https://x/y,reproducible=true,filename=p.json';
  assert.deepEqual(attestOptionsOf({ 'attest:provenance': all }), {
    provenance: {
      ...{ mode: 'max', version: 'v1', builderId: 'https://x/y' },
      ...{ isReproducible: true, isInlineOnly: false, fileName: 'p.json' },
    },
  });
});

for (const [name, value, message] of [
  ['provenance', 'mode=foo', 'invalid mode "foo"'],
  ['provenance', 'mode=min,version=v9', 'invalid provenance SLSA version: v9'],
  ['foo', '', 'unknown attestation type "foo"'],
] as const) {
  test(`attestOptionsOf() refuses ${name} ${value}`, () => {
    assert.throws(() => attestOptionsOf({ [`attest:${name}`]: value }), { message });
  });
}

test('attestOptionsOf() refuses a scanner in an image by its name', () => {
  assert.throws(() => attestOptionsOf({ 'attest:sbom': 'generator=example.com/scanner:1' }), {
    message: /example\.com\/scanner:1/,
  });
});
