import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { gzipFile } from './gzip-stream.ts';

const signal = new AbortController().signal;

for (const program of [undefined, '/nowhere/igzip']) {
  test(`gzipFile() gives back what went in, the same each time, with ${program ?? 'what is installed'}`, async () => {
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

test('gzipFile() that is left or stopped leaves no process', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-gzip-'));
  try {
    writeFileSync(join(folder, 'data'), randomBytes(20_000_000));
    const children = (): number =>
      readFileSync('/proc/thread-self/children', 'utf8').split(' ').filter(Boolean).length;
    const before = children();
    for await (const chunk of gzipFile(join(folder, 'data'), { signal })) {
      assert.ok(chunk.length > 0);
      break;
    }
    const abort = new AbortController();
    const act = (async () => {
      for await (const chunk of gzipFile(join(folder, 'data'), { signal: abort.signal })) {
        if (chunk.length > 0) abort.abort(new Error('enough'));
      }
    })();
    await assert.rejects(act, /enough/);
    assert.equal(children(), before);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
