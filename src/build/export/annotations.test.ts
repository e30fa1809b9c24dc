import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAnnotations } from './annotations.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };

test('parseAnnotations() tells documents and platforms apart', () => {
  const annotations = parseAnnotations({
    name: 'x',
    'annotation.plain': '1',
    'annotation-manifest.org.test/all': '2',
    'annotation-manifest[linux/arm64].plain': '3',
    'annotation-manifest-descriptor[linux/aarch64].d': '4',
    'annotation-index.i': '5',
    'annotation-index-descriptor.id': '6',
  });
  assert.deepEqual(annotations.manifest(amd64), { plain: '1', 'org.test/all': '2' });
  assert.deepEqual(annotations.manifest(arm64), { plain: '3', 'org.test/all': '2' });
  assert.deepEqual(annotations.manifestDescriptor(arm64), { d: '4' });
  assert.deepEqual(annotations.manifestDescriptor(amd64), {});
  assert.deepEqual(annotations.index, { i: '5' });
  assert.deepEqual(annotations.indexDescriptor, { id: '6' });
  assert.deepEqual(annotations.platforms, ['linux/arm64']);
});

test('parseAnnotations() refuses documents that there are not', () => {
  assert.throws(() => parseAnnotations({ 'annotation-layer.x': '' }), {
    message: 'unrecognized annotation type layer',
  });
});
