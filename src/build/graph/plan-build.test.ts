import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBuildResult } from '../../../test/builds/build-golden.ts';
import { buildCases } from '../../../test/builds/cases/index.ts';
import { planCase } from '../../../test/builds/plan-case.ts';

/** JSON as it would be written: no undefined fields. */
const written = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

for (const one of buildCases) {
  const golden = readBuildResult(one.name);
  if (!golden || 'error' in golden) continue;
  void test(`planBuild() gives ${one.name} the configuration and history of the reference`, () => {
    const plan = planCase(one);
    if (plan.kind === 'failed') throw plan.error;
    assert(plan.kind === 'plan');
    assert.deepEqual(written(plan.image.config), golden.config);
    const history = plan.image.history.map((entry) => ({ ...entry, created: undefined }));
    assert.deepEqual(written(history), golden.history);
    assert.equal(plan.image.author, golden.author);
    const { os, architecture, variant } = plan.image;
    assert.equal([os, architecture, variant].filter(Boolean).join('/'), golden.platform);
  });
}
