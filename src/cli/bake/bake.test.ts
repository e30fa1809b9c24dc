import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { BakeAnswer, BakeCase } from '../../../test/bake/bake-case.ts';
import { bakeCases } from '../../../test/bake/cases/index.ts';
import { differences } from '../../../test/bake/differences.ts';
import { readBakeAnswers } from '../../../test/bake/golden.ts';
import { run } from '../testing/run-program.ts';

const answers = readBakeAnswers();
const here = process.cwd();

async function bake({
  files,
  args = ['--print'],
  environment = {},
  stdin = '',
}: BakeCase): Promise<BakeAnswer> {
  const folder = mkdtempSync(join(tmpdir(), 'bake-case-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    process.chdir(folder);
    const { code, out, err } = await run(['bake', ...args], { env: environment, stdin });
    return { code, out, err: err.trim() };
  } finally {
    process.chdir(here);
    rmSync(folder, { recursive: true });
  }
}

/** How many further complaints there are depends on where a parser goes on after the first. */
const withoutCount = (answer: BakeAnswer | undefined): BakeAnswer | undefined =>
  answer && { ...answer, err: answer.err.replace(/, and \d+ other diagnostic\(s\)/, '') };

for (const each of bakeCases) {
  const cause = differences[each.name];
  test(`bake answers as buildx does: ${each.name}${cause === undefined ? '' : `, but ${cause}`}`, async () => {
    const [ours, theirs] = [withoutCount(await bake(each)), withoutCount(answers[each.name])];
    if (cause === undefined) assert.deepEqual(ours, theirs);
    else assert.notDeepEqual(ours, theirs);
  });
}
