import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiVersion, checkVersion } from './api-version.ts';

test('checkVersion() serves 1.24 and newer, and what has not changed to those who ask for it in 1.12 to 1.23', () => {
  assert.equal(checkVersion('1.24', '1.51', 'ImageList'), apiVersion('1.24'));
  assert.equal(checkVersion('1.51', '1.51', 'ImageList'), apiVersion('1.51'));
  assert.equal(checkVersion('1.22', '1.51', 'ImageLoad'), apiVersion('1.24'));
  assert.throws(() => checkVersion('1.22', '1.51', 'ImageList'), /client version 1\.22 is too old\. Minimum/);
  assert.throws(() => checkVersion('1.9', '1.51', 'ImageLoad'), /client version 1\.9 is too old/);
  assert.throws(() => checkVersion('1.52', '1.51', 'ImageLoad'), /is too new\. Maximum/);
});
