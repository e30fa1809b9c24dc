/**
 * Builds the corpus with an engine (DOCKER_HOST names it) and compares the results with what the reference made of it.
 *
 *   compare-builds.ts [NAME...]   only cases whose names begin so
 */
import { busyboxArchive, debianArchive, succeed } from '../setup/index.ts';
import { readBuildResult, type BuildResult } from './build-golden.ts';
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

/** Where two values differ, a line each. */
function differences(expected: unknown, actual: unknown, path = ''): string[] {
  if (JSON.stringify(expected) === JSON.stringify(actual)) return [];
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null;
  if (!isObject(expected) || !isObject(actual)) {
    return [`${path}: ${JSON.stringify(expected)} → ${JSON.stringify(actual)}`];
  }
  const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...keys].flatMap((key) => differences(expected[key], actual[key], `${path}/${key}`));
}

let differing = 0;
let done = 0;
const open = chosen.values();
async function work(): Promise<void> {
  for (const one of open) {
    const expected = readBuildResult(one.name);
    const actual: BuildResult = await runCase(one);
    done += 1;
    const found = differences(expected, actual);
    if (found.length === 0) continue;
    differing += 1;
    console.log(
      `${one.name}:\n${found
        .slice(0, 8)
        .map((line) => `  ${line.slice(0, 400)}`)
        .join('\n')}`,
    );
  }
}
await Promise.all([work(), work()]);
console.log(`${done} builds, ${differing} differ`);
