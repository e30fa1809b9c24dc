import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conflict, notFound } from '#kernel';
import { unlessGone } from './unless-gone.ts';

test('unlessGone() answers undefined for what is not found, and nothing else is excused', async () => {
  assert.equal(await unlessGone(Promise.resolve(3)), 3);
  assert.equal(await unlessGone<number>(Promise.reject(notFound('no such thing'))), undefined);
  await assert.rejects(unlessGone(Promise.reject(conflict('in use'))), /in use/);
});
