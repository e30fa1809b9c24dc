import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { gzipFile } from './gzip-stream.ts';

const signal = new AbortController().signal;

for (const program of ['igzip', '/nowhere/igzip']) {
  test(`gzipFile() gives back what went in, the same each time, with ${program}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wharf-gzip-'));
    try {
      const data = Buffer.concat([randomBytes(1_500_000), Buffer.alloc(2_000_001, 'wharf')]);
      writeFileSync(join(folder, 'data'), data);
      const once = Buffer.concat(await Array.fromAsync(gzipFile(join(folder, 'data'), { signal, program })));
      const twice = Buffer.concat(await Array.fromAsync(gzipFile(join(folder, 'data'), { signal, program })));
      assert.ok(gunzipSync(once).equals(data));
      assert.ok(once.equals(twice));
      assert.ok(once.length < data.length);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
