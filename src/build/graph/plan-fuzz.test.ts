import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildCases } from '../../../test/builds/cases/index.ts';
import { checkCases } from '../../../test/builds/check-cases.ts';
import { planWithTestImages } from '../../../test/builds/plan-case.ts';

/** A file takes at most so long, in milliseconds: generous, since machines differ. */
const bound = 5000;
const runs = Number(process.env['WHARF_FUZZ_RUNS'] ?? 2000);

const known = [...buildCases.map(({ dockerfile }) => dockerfile), ...checkCases];
const rows = known.flatMap((text) => text.split('\n')).filter((row) => row !== '');
const pieces = [
  '$',
  '${',
  '}',
  '"',
  "'",
  '\\',
  '<<EOF',
  '--',
  '=',
  ',',
  '[',
  ']',
  ':',
  '/',
  '..',
  '*',
  '\0',
  'é',
  '\n',
  ' ',
];

/** One place where something is put in. */
const spoil = fc.tuple(fc.nat(400), fc.constantFrom(...pieces));
const spoilt = (text: string, spoils: readonly (readonly [number, string])[]): string =>
  spoils.reduce(
    (now, [at, piece]) => now.slice(0, at % (now.length + 1)) + piece + now.slice(at % (now.length + 1)),
    text,
  );

/** Known rows in any order, or a known file; some spoilt. */
const mixed = fc
  .array(
    fc
      .tuple(fc.constantFrom(...rows), fc.option(spoil, { freq: 3 }))
      .map(([text, one]) => (one ? spoilt(text, [one]) : text)),
    { maxLength: 12 },
  )
  .map((all) => ['FROM busybox AS x', ...all, ''].join('\n'));
const changed = fc
  .tuple(fc.constantFrom(...known), fc.array(spoil, { maxLength: 3 }))
  .map(([text, spoils]) => spoilt(text, spoils));
const file = fc.oneof(mixed, changed);

test('planBuild() plans or refuses whatever it is given, soon', () => {
  fc.assert(
    fc.property(file, fc.boolean(), (text, allStages) => {
      const started = performance.now();
      const result = planWithTestImages(text, { allStages, buildArguments: { v: '${x', a: '"' } });
      assert(result.kind === 'plan' || result.kind === 'failed');
      const spent = performance.now() - started;
      assert(spent < bound, `${spent} ms`);
    }),
    { numRuns: runs },
  );
});
