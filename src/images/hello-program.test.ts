import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { helloProgram, helloText } from './hello-program.ts';

test('helloProgram() prints the greeting and ends with 0', { skip: process.arch !== 'x64' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-hello-'));
  try {
    const path = join(folder, 'hello');
    writeFileSync(path, helloProgram('amd64'), { mode: 0o755 });
    assert.equal(execFileSync(path, { encoding: 'utf8' }), helloText);
    assert.match(helloText.trimStart(), /^Hello from Wharf!\n/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('helloProgram() finds its text on AArch64 by the distance that the instruction holds', () => {
  const program = helloProgram('arm64');
  assert.equal(program.readUInt16LE(18), 183);
  const entry = 64 + 56;
  const adr = program.readUInt32LE(entry + 8);
  const distance = ((adr >>> 5) & 0x7ffff) * 4 + ((adr >>> 29) & 3);
  assert.equal(program.subarray(entry + 8 + distance).toString(), helloText);
});
