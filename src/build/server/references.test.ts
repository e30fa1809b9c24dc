import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobOfReference, References } from './references.ts';

test('References makes what it is asked for when it is asked, and once', async () => {
  const references = new References('job');
  let made = 0;
  const name = references.add(() => {
    made += 1;
    return Promise.resolve({ kind: 'layers', layers: [] });
  });
  assert.equal(made, 0);
  assert.equal(jobOfReference(name), 'job');
  assert.equal(await references.get(name), await references.get(name));
  assert.equal(made, 1);
  await assert.rejects(references.get('job/9'), { kind: 'invalidArgument' });
});
