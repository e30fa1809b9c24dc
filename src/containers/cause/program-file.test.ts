import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { examineProgram } from './program-file.ts';

let root: string;

/** A 64-bit program for a machine, with a loader if one is named. */
function elf(machine: number, loader = ''): Buffer {
  const file = Buffer.alloc(256);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(machine, 18);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(loader === '' ? 0 : 1, 56);
  file.writeUInt32LE(3, 64);
  file.writeBigUInt64LE(128n, 72);
  file.writeBigUInt64LE(BigInt(loader.length + 1), 96);
  file.write(`${loader}\0`, 128, 'latin1');
  return file;
}

const own = process.arch === 'arm64' ? 183 : 62;
const other = process.arch === 'arm64' ? 62 : 183;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'wharf-program-'));
  await mkdir(join(root, 'bin'));
  const files: Readonly<Record<string, string | Buffer>> = {
    'bin/static': elf(own),
    'bin/dynamic': elf(own, '/lib/ld.so'),
    'bin/foreign': elf(other),
    'bin/crlf': '#!/bin/static\r\n',
    'bin/env-crlf': '#!/usr/bin/env bash\r\n',
    'bin/script': '#! /bin/static -x\n',
    'bin/orphan': '#!/bin/absent\n',
    'bin/empty': '',
  };
  for (const [name, contents] of Object.entries(files)) {
    await writeFile(join(root, name), contents);
    await chmod(join(root, name), 0o755);
  }
  await writeFile(join(root, 'bin/data'), 'data');
  await chmod(join(root, 'bin/data'), 0o640);
  // Links lead inside the root.
  await symlink('/bin/static', join(root, 'link'));
});

after(async () => rm(root, { recursive: true }));

const cases: readonly [string, object | undefined][] = [
  ['/bin/static', undefined],
  ['static', undefined],
  ['./static', undefined],
  ['/link', undefined],
  ['/bin/script', undefined],
  ['/bin/dynamic', { kind: 'loader-missing', program: '/bin/dynamic', loader: '/lib/ld.so' }],
  [
    '/bin/crlf',
    { kind: 'interpreter-missing', program: '/bin/crlf', interpreter: '/bin/static', crlf: true },
  ],
  ['env-crlf', { kind: 'interpreter-missing', program: '/bin/env-crlf', interpreter: 'bash', crlf: true }],
  [
    'orphan',
    { kind: 'interpreter-missing', program: '/bin/orphan', interpreter: '/bin/absent', crlf: false },
  ],
  ['/bin/empty', { kind: 'format', program: '/bin/empty', empty: true }],
  ['/bin/data', { kind: 'not-executable', program: '/bin/data', mode: 0o640 }],
  ['/bin', { kind: 'program-is-folder', program: '/bin' }],
  ['absent', { kind: 'program-missing', program: 'absent' }],
];

for (const [program, expected] of cases) {
  test(`examineProgram() of ${program}`, () => {
    assert.deepEqual(examineProgram(root, program, { cwd: '/bin', env: ['PATH=/sbin:/bin'] }), expected);
  });
}

test('examineProgram() of a program for another architecture', () => {
  const problem = examineProgram(root, '/bin/foreign', { cwd: '/', env: [] });
  assert.equal(problem?.kind, 'architecture');
});
