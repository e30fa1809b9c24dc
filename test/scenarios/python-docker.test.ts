/** Bookworm's python3-docker 5.0, which speaks versions of the API from years ago. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { busyboxArchive, command, debianPackages, startDaemon, type Daemon } from '../setup/index.ts';

const script = join(import.meta.dirname, 'python-docker/flows.py');
/** The flows are the script's functions without arguments. */
const flows = [...(await readFile(script, 'utf8')).matchAll(/^def (\w+)\(\):/gm)].map(
  ([, name = '']) => name,
);

let daemon: Daemon;
let libraries: string;

before(async () => {
  const packages = [
    'docker',
    'requests',
    'websocket',
    'six',
    'certifi',
    'charset-normalizer',
    'idna',
    'urllib3',
  ];
  const names = [...packages, 'distutils'].map((name) => `python3-${name}`);
  libraries = await debianPackages('python3-docker-5.0', 'bookworm', names);
  daemon = await startDaemon();
  assert.equal((await daemon.docker(['load', '-q', '-i', await busyboxArchive()])).code, 0);
});
after(() => daemon[Symbol.asyncDispose]());

interface Result {
  readonly flow: string;
  readonly error: string | null;
}

/** All flows in one process of Python, whose start takes longer than most of them. */
async function runFlows(version: string, names: readonly string[]): Promise<ReadonlyMap<string, Result>> {
  const folders = ['usr/lib/python3/dist-packages', 'usr/lib/python3.11'].map((path) =>
    join(libraries, path),
  );
  const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
  const env = { ...daemon.env, PYTHONPATH: folders.join(':'), PYTHONDONTWRITEBYTECODE: '1' };
  const args = ['-W', 'ignore', script, version, await busyboxArchive(), ...names];
  const { stdout, stderr } = await command(python, args, { env });
  assert.equal(stderr, '');
  const results = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Result);
  return new Map(results.map((result) => [result.flow, result]));
}

for (const [version, names] of [
  // The library's own, of 2020.
  ['1.41', flows],
  ['auto', ['versions', 'run', 'exec_run', 'exec_socket', 'attach', 'archives', 'events', 'wait']],
] as const) {
  test(`python3-docker with API ${version}`, async (t) => {
    const results = await runFlows(version, names);
    for (const name of names) {
      await t.test(name, () =>
        assert.ok(results.get(name)?.error === null, results.get(name)?.error ?? 'no result'),
      );
    }
  });
}
