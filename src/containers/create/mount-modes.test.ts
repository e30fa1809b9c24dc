import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMode, parseVolumesFrom } from './mount-modes.ts';

test('parseMode() takes one of each group', () => {
  assert.deepEqual(parseMode(''), { rw: true, propagation: '', copyUp: true });
  assert.deepEqual(parseMode('ro,z,rshared'), { rw: false, propagation: 'rshared', copyUp: true });
  assert.deepEqual(parseMode('nocopy,cached'), { rw: true, propagation: '', copyUp: false });
  for (const wrong of ['x', 'readonly', 'ro,rw', 'ro,ro', 'z,Z', 'shared,private', 'ro,']) {
    assert.throws(() => parseMode(wrong), { message: `invalid mode: ${wrong}` });
  }
});

test('parseVolumesFrom() refuses modes that are the owner’s affair', () => {
  assert.deepEqual(parseVolumesFrom('a'), { container: 'a', rw: true });
  assert.deepEqual(parseVolumesFrom('a:ro,z'), { container: 'a', rw: false });
  for (const wrong of ['nocopy', 'rshared', 'ro:x']) {
    assert.throws(() => parseVolumesFrom(`a:${wrong}`), { message: `invalid mode: ${wrong}` });
  }
});
