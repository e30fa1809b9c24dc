import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { silentLogger, systemClock } from '#kernel';
import { digestOf } from '#oci';
import { createRegistryServer } from './registry-server.ts';

const run = promisify(execFile);

test('a full disk refuses pushes by name, serves pulls, and takes pushes again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wharf-registry-full-'));
  await run('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder]);
  try {
    await using server = await createRegistryServer({
      root: join(folder, 'data'),
      clock: systemClock,
      logger: silentLogger,
    });
    const base = `http://127.0.0.1:${await server.listen({ host: '127.0.0.1', port: 0 })}`;
    const push = (data: Buffer<ArrayBuffer>): Promise<Response> =>
      fetch(`${base}/v2/app/blobs/uploads/?digest=${digestOf(data)}`, { method: 'POST', body: data });
    const [first, large, small] = [randomBytes(2_000_000), randomBytes(12_000_000), randomBytes(1_000_000)];
    assert.equal((await push(first)).status, 201);
    const refused = await push(large);
    assert.equal(refused.status, 507);
    assert.match(await refused.text(), /"UNAVAILABLE","message":"the registry's disk is full/);
    const pulled = await fetch(`${base}/v2/app/blobs/${digestOf(first)}`);
    assert.equal(digestOf(Buffer.from(await pulled.arrayBuffer())), digestOf(first));
    assert.equal((await fetch(`${base}/v2/app/blobs/${digestOf(large)}`)).status, 404);
    const health = await fetch(`${base}/healthz`);
    assert.equal(health.status, 503);
    assert.match(await health.text(), /the disk is full: \d/);
    assert.equal((await push(small)).status, 201);
  } finally {
    await run('umount', [folder]);
    await rm(folder, { recursive: true });
  }
});
