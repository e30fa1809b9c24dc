import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pathFromBytes, pathToBytes } from './path-bytes.ts';

test('pathToBytes() undoes pathFromBytes() for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.deepEqual(new Uint8Array(pathToBytes(pathFromBytes(bytes))), bytes);
    }),
  );
  assert.equal(pathFromBytes(Buffer.from('é')), 'é');
  assert.equal(pathFromBytes(Buffer.from([0x61, 0xff])), 'a\udcff');
});
