import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { invalidArgument } from '#kernel';

const magics: readonly { readonly magic: string; readonly name: string; open?(): Transform }[] = [
  { magic: '1f8b', name: 'gzip', open: () => createGunzip({ chunkSize: 256 << 10 }) },
  { magic: '28b52ffd', name: 'zstd', open: () => createZstdDecompress({ chunkSize: 256 << 10 }) },
  { magic: 'fd377a585a00', name: 'xz' },
  { magic: '425a68', name: 'bzip2' },
];

/** Waits for enough bytes to tell what they are. */
async function readHead(source: AsyncIterator<Uint8Array>): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < 6) {
    const step = await source.next();
    if (step.done) break;
    head = Buffer.concat([head, step.value]);
  }
  return head;
}

async function* join(
  head: Buffer,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (head.length > 0) yield head;
    for (let step = await rest.next(); !step.done; step = await rest.next()) yield step.value;
  } finally {
    await rest.return?.();
  }
}

/**
 * The bytes of a stream, decompressed if its first bytes say that it is gzip or zstd. Throws invalidArgument for
 * other compressions; broken data rejects while it is read.
 */
export async function decompressed(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = source[Symbol.asyncIterator]();
  const head = await readHead(iterator);
  const bytes = join(head, iterator);
  const found = magics.find(({ magic }) => head.toString('hex').startsWith(magic));
  if (!found) return bytes;
  if (!found.open) {
    await bytes.return();
    throw invalidArgument(`unsupported compression ${found.name}: decompress the archive first`);
  }
  return readThrough(bytes, found.open(), found.name);
}

async function* readThrough(
  bytes: AsyncIterable<Uint8Array>,
  transform: Transform,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  // pipeline() passes failures on to the transform, which then rejects below.
  pipeline(Readable.from(bytes, { objectMode: false }), transform, () => undefined);
  try {
    for await (const chunk of transform as AsyncIterable<Uint8Array>) yield chunk;
  } catch (error) {
    if (isZlibError(error)) {
      const ended = error.code === 'Z_BUF_ERROR';
      throw invalidArgument(`invalid ${name} data: ${ended ? 'unexpected EOF' : error.message}`, error);
    }
    throw error;
  } finally {
    transform.destroy();
  }
}

const isZlibError = (error: unknown): error is Error & { code: string } =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^Z(STD)?_/.test(error.code);
