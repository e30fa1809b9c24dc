/** Asks the reference's `docker buildx bake` about each case and writes what it says as golden file. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { BakeAnswer } from './bake-case.ts';
import { bakeCases } from './cases/index.ts';
import { writeBakeAnswers } from './golden.ts';

const answers: Record<string, BakeAnswer> = {};
for (const { name, files, args = ['--print'], environment = {}, stdin = '' } of bakeCases) {
  const folder = mkdtempSync(join(tmpdir(), 'bake-case-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const result = spawnSync('docker', ['buildx', 'bake', '--progress=plain', ...args], {
    cwd: folder,
    input: stdin,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  const err = result.stderr.replaceAll(/^#\d+ .*\n/gm, '').trim();
  answers[name] = { code: result.status ?? -1, out: result.stdout, err };
  rmSync(folder, { recursive: true });
}
writeBakeAnswers(answers);
console.log(`${Object.keys(answers).length} answers recorded`);
