import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { decompress, detectCompression, type Compression } from './index.ts';

const { signal } = new AbortController();
const plain = Buffer.concat([randomBytes(200_000), Buffer.alloc(500_000, 'text ')]);
const forms: Readonly<Record<Compression, () => Buffer>> = {
  none: () => plain,
  gzip: () => gzipSync(plain),
  zstd: () => zstdCompressSync(plain),
  bzip2: () => execFileSync('bzip2', ['-c'], { input: plain, maxBuffer: 1 << 24 }),
  xz: () => execFileSync('xz', ['-c'], { input: plain, maxBuffer: 1 << 24 }),
};

async function* chunksOf(data: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) {
    await new Promise(setImmediate);
    yield data.subarray(at, at + size);
  }
}

const collect = async (stream: AsyncIterable<Uint8Array>): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(stream));

for (const [name, make] of Object.entries(forms)) {
  test(`decompress() reads ${name}, however it is cut up`, async () => {
    const data = make();
    for (const size of [1000, data.length]) {
      const { compression, stream } = await decompress(chunksOf(data, size), { signal });
      assert.equal(compression, name);
      assert.ok((await collect(stream)).equals(plain));
    }
    // The magic may come byte by byte.
    assert.equal((await decompress(chunksOf(data.subarray(0, 20), 1), { signal })).compression, name);
  });
}

for (const name of ['gzip', 'zstd', 'bzip2', 'xz'] as const) {
  test(`decompress() refuses ${name} that ends too early`, async () => {
    const data = forms[name]();
    const { stream } = await decompress(chunksOf(data.subarray(0, -30), 5000), { signal });
    await assert.rejects(collect(stream), { kind: 'invalidArgument', message: /damaged or truncated/ });
  });

  test(`decompress() of ${name} stops on abort and reports its source's error`, async () => {
    const data = forms[name]();
    const abort = new AbortController();
    const { stream } = await decompress(chunksOf(data, 100), { signal: abort.signal });
    setImmediate(() => abort.abort(new Error('enough')));
    await assert.rejects(collect(stream), /enough/);
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield* chunksOf(data.subarray(0, 10_000), 1000);
      throw new Error('hung up');
    }
    await assert.rejects(collect((await decompress(failing(), { signal })).stream), /hung up/);
  });
}

test('detectCompression() takes what it does not know for a tar', () => {
  assert.equal(detectCompression(Buffer.alloc(0)), 'none');
  assert.equal(detectCompression(Buffer.from('hello.txt')), 'none');
  assert.equal(detectCompression(Buffer.from('502a4d18', 'hex')), 'zstd');
});
