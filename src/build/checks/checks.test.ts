import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCheckAnswers } from '../../../test/builds/check-golden.ts';
import { planWithTestImages } from '../../../test/builds/plan-case.ts';
import type { Location } from '../dockerfile/location.ts';
import { parseCheckOptions } from './check-options.ts';
import { rules } from './rules.ts';

const linesOf = ({ firstLine, lastLine }: Location): number[] =>
  Array.from({ length: lastLine - firstLine + 1 }, (_, index) => firstLine + index);

const sorted = (warnings: readonly { rule: string; message: string; lines: readonly number[] }[]): string[] =>
  warnings.map(({ rule, message, lines }) => `${lines.join()} ${rule}: ${message}`).sort();

for (const answer of readCheckAnswers()) {
  void test(`planBuild() says of ${JSON.stringify(answer.dockerfile)} what the reference says`, () => {
    const result = planWithTestImages(answer.dockerfile, { allStages: true });
    assert(result.kind !== 'needs');
    const warnings = result.warnings.map(({ rule, message, location }) => ({
      rule: rule.name,
      message,
      lines: linesOf(location),
    }));
    assert.deepEqual(sorted(warnings), sorted(answer.warnings));
    const error = result.kind === 'failed' ? result.error : undefined;
    assert.equal(error?.message, answer.error?.message);
    // Ours may know a place where the reference names none; of directives that names the line before.
    if (
      answer.error &&
      answer.error.lines.length > 0 &&
      !/directive|escape token/.test(answer.error.message)
    ) {
      const { locations = [] } = error ?? {};
      assert.deepEqual(locations.flatMap(linesOf), answer.error.lines);
    }
  });
}

test('rules has the 22 checks with their pages', () => {
  assert.equal(Object.keys(rules).length, 22);
  const page = 'https://docs.docker.com/go/dockerfile/rule/';
  assert.equal(rules.JSONArgsRecommended.url, `${page}json-args-recommended/`);
  assert.equal(rules.FromPlatformFlagConstDisallowed.url, `${page}from-platform-flag-const-disallowed/`);
  assert.equal(rules.SecretsUsedInArgOrEnv.url, `${page}secrets-used-in-arg-or-env/`);
  assert.equal(rules.InvalidBaseImagePlatform.url, '');
});

test('parseCheckOptions() reads what is skipped, what is tried and whether warnings end the build', () => {
  assert.deepEqual(parseCheckOptions(' skip=A, B;error=true;experimental=all '), {
    skip: new Set(['A', 'B']),
    error: true,
    experimental: 'all',
  });
  assert.equal(parseCheckOptions('skip=all').skip, 'all');
  assert.throws(() => parseCheckOptions('skip'), /invalid check option "skip"/);
  assert.throws(() => parseCheckOptions('a=b'), /invalid check option "a"/);
});

test('planBuild() warns of a base image of another platform, and of sources that .dockerignore leaves out', () => {
  const result = planWithTestImages('FROM busybox\nCOPY a.txt b /\nADD c/d.txt /\n', {
    platform: { os: 'linux', architecture: 'arm64' },
    ignorePatterns: ['**/*.txt'],
  });
  assert(result.kind === 'plan');
  assert.deepEqual(
    result.warnings.map(({ rule, message }) => [rule.name, message]),
    [
      [
        'InvalidBaseImagePlatform',
        'Base image busybox was pulled with platform "linux/amd64", expected "linux/arm64" for current build',
      ],
      ['CopyIgnoredFile', 'Attempting to Copy file "a.txt" that is excluded by .dockerignore'],
      ['CopyIgnoredFile', 'Attempting to Add file "c/d.txt" that is excluded by .dockerignore'],
    ],
  );
});
