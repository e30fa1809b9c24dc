import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { command, dockerProgram } from '../../setup/index.ts';

/** Every flag that the unmodified client offers for `docker run`. */
async function offered(): Promise<readonly string[]> {
  const { stdout } = await command(dockerProgram(), ['run', '--help']);
  return [...stdout.matchAll(/^ {2,6}(?:-\w, )?(--[a-z][a-z0-9-]*)/gm)].map(([, flag = '']) => flag);
}

/** The flags that the calls of covers() in this folder name. */
async function covered(): Promise<ReadonlySet<string>> {
  const folder = import.meta.dirname;
  const files = (await readdir(folder)).filter((name) => name.endsWith('.test.ts'));
  const sources = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return new Set(
    sources
      .flatMap((source) => [...source.matchAll(/\bcovers\(\s*'([^']+)'/g)])
      .flatMap(([, flags = '']) => flags.split(' ')),
  );
}

test('each flag of `docker run --help` has a test that names it', async () => {
  const flags = await offered();
  assert.ok(flags.length > 90, `only ${flags.length} flags were read`);
  const known = await covered();
  assert.deepEqual(
    flags.filter((flag) => !known.has(flag)),
    [],
    'flags that no test in this folder covers',
  );
  assert.deepEqual(
    [...known].filter((flag) => !flags.includes(flag)),
    [],
    'flags that docker run does not have',
  );
});
