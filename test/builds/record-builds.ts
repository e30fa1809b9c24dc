/**
 * Builds the corpus with the reference engine (DOCKER_HOST names it) and writes the results as golden files.
 *
 *   record-builds.ts [NAME...]   only cases whose names begin so
 */
import { busyboxArchive, debianArchive, succeed } from '../setup/index.ts';
import { writeBuildResults } from './build-golden.ts';
import type { BuildResult } from './build-golden.ts';
import { buildCases } from './cases/index.ts';
import { runCase } from './run-case.ts';

const wanted = process.argv.slice(2);
const chosen = buildCases.filter(
  ({ name, unrecorded }) =>
    unrecorded === undefined && (wanted.length === 0 || wanted.some((start) => name.startsWith(start))),
);
for (const archive of [await busyboxArchive(), await debianArchive()]) {
  await succeed('docker', ['load', '--input', archive]);
}
const results = new Map<string, BuildResult>();
const open = chosen.values();

async function work(): Promise<void> {
  for (const one of open) {
    const result = await runCase(one);
    if ('error' in result !== (one.fails === true)) {
      console.log(`${one.name}: ${'error' in result ? result.error : 'should have failed'}`);
    }
    results.set(one.name, result);
    if (results.size % 20 === 0) writeBuildResults(results);
  }
}
await Promise.all([work(), work(), work()]);
writeBuildResults(results);
console.log(`${results.size} builds recorded`);
