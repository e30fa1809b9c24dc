import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flagOf, layerFormOf, namesOf, parseEpoch } from './export-attributes.ts';
import { imageExportOf } from './image-exporter.ts';

test('flagOf() takes what Go takes for true and false, and a name alone', () => {
  assert.equal(flagOf({ push: 'T' }, 'push'), true);
  assert.equal(flagOf({ push: '' }, 'push'), true);
  assert.equal(flagOf({ push: '0' }, 'push', true), false);
  assert.equal(flagOf({}, 'push', true), true);
  assert.throws(() => flagOf({ push: 'yes' }, 'push'), {
    message: 'non-bool value specified for push: strconv.ParseBool: parsing "yes": invalid syntax',
  });
});

test('layerFormOf() reads how layers are compressed', () => {
  assert.equal(layerFormOf({}), undefined);
  assert.deepEqual(layerFormOf({ compression: 'zstd', 'compression-level': '30' }), {
    ...{ type: 'zstd', isForced: false, level: 22 },
  });
  assert.deepEqual(layerFormOf({ 'force-compression': '' }), { type: 'gzip', isForced: true });
  assert.throws(() => layerFormOf({ compression: 'estargz' }), /unsupported compression type estargz/);
  assert.throws(() => layerFormOf({ 'compression-level': 'x' }), {
    message:
      'non-integer value x specified for compression-level: strconv.ParseInt: parsing "x": invalid syntax',
  });
});

test('parseEpoch() takes seconds', () => {
  assert.equal(parseEpoch('1700000000'), 1_700_000_000);
  assert.equal(parseEpoch(''), undefined);
  assert.equal(parseEpoch(undefined), undefined);
  assert.throws(() => parseEpoch('1.5'), /invalid source-date-epoch: strconv.ParseInt: parsing "1.5"/);
});

test('namesOf() splits the names of an image', () => {
  assert.deepEqual(namesOf({ name: 'a:1,b' }), ['a:1', 'b']);
  assert.deepEqual(namesOf({}), []);
});

test('imageExportOf() compresses what is pushed, and refuses what cannot be done', () => {
  assert.equal(imageExportOf({ name: 'x' }).form.layers, undefined);
  const pushed = imageExportOf({ name: 'x', push: 'true', 'name-canonical': 'true' });
  assert.deepEqual(pushed.form.layers, { type: 'gzip' });
  assert.deepEqual(pushed.canonicalNames, ['x']);
  assert.deepEqual(imageExportOf({ 'dangling-name-prefix': 'dangling' }).canonicalNames, ['dangling']);
  const refused = (attributes: Record<string, string>, message: RegExp): void =>
    assert.throws(() => imageExportOf(attributes), message);
  refused({ push: 'true' }, /tag is needed when pushing to registry/);
  refused({ 'registry.insecure': 'true' }, /add the registry to insecure-registries/);
  refused({ name: 'UPPER' }, /must be lowercase/);
  refused(
    { compression: 'zstd', 'oci-mediatypes': 'false' },
    /exporter option "compression=zstd" conflicts with "oci-mediatypes=false"/,
  );
});
