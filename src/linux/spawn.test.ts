import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitForChild } from './pipe.ts';
import { spawnProcess } from './spawn.ts';

test('spawnProcess() starts a program with no signal ignored or blocked', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-spawn-'));
  const output = openSync(join(folder, 'out'), 'w');
  try {
    const args = ['grep', '-E', '^Sig(Ign|Blk)', '/proc/self/status'];
    const pid = spawnProcess({ path: '/usr/bin/grep', args, env: [], stdio: [output, output, output] });
    waitForChild(pid);
    const none = '0'.repeat(16);
    assert.equal(readFileSync(join(folder, 'out'), 'utf8'), `SigBlk:\t${none}\nSigIgn:\t${none}\n`);
  } finally {
    closeSync(output);
    rmSync(folder, { recursive: true });
  }
});
