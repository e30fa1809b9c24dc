import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test } from 'node:test';
import type { BuildCase } from '../../test/builds/build-case.ts';
import { readBuildResult } from '../../test/builds/build-golden.ts';
import { buildCases } from '../../test/builds/cases/index.ts';
import { ignoreFileNames, parseIgnoreFile } from './ignore-file.ts';
import { PatternMatcher } from './pattern-matcher.ts';
import type { FolderMatch } from './pattern-matcher.ts';

/** All paths of a context with the folders that they are in. */
function pathsOf({ files = {}, file = 'Dockerfile' }: BuildCase): string[] {
  const paths = new Set<string>();
  for (let path of [...Object.keys(files), file]) {
    for (; path !== '.'; path = dirname(path)) paths.add(path);
  }
  return [...paths].sort();
}

/** What is left of a context: what no pattern excludes, and the folders that lead there. */
function included(one: BuildCase): string[] {
  const { files = {}, file = 'Dockerfile' } = one;
  const texts = ignoreFileNames(file).map((name) => files[name]);
  const text = texts.find((candidate) => typeof candidate === 'string') ?? '';
  const matcher = new PatternMatcher(parseIgnoreFile(text));
  const matches = new Map<string, FolderMatch>();
  const kept = new Set<string>();
  const all = pathsOf(one);
  for (const path of all) {
    const above = matches.get(dirname(path));
    const match = matcher.at(path, above);
    matches.set(path, match);
    if (match.excluded) continue;
    for (let here = path; here !== '.'; here = dirname(here)) kept.add(here);
    // A folder that would have been left out whole cannot hold what is kept.
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
      if (matches.get(folder)?.excluded === true) assert(matcher.mayIncludeBelow(folder), folder);
    }
  }
  return [...kept].sort();
}

for (const one of buildCases) {
  const golden = readBuildResult(one.name);
  if (!golden || 'error' in golden || !one.name.startsWith('copy/ignored')) continue;
  void test(`PatternMatcher leaves of the context of ${one.name} what Docker's client leaves`, () => {
    const copied = Object.keys(golden.tree)
      .filter((path) => path.startsWith('/x/'))
      .map((path) => path.slice(3))
      .sort();
    assert.deepEqual(included(one), copied);
  });
}
