import { spawn } from 'node:child_process';
import { Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { errnoOf, invalidArgument, messageOf, unavailable } from '#kernel';

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/** How many bytes detectCompression() wants to see. */
export const magicLength = 6;

const magics: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** Tells the compression from the first bytes; anything unknown is `none`. */
export function detectCompression(head: Uint8Array): Compression {
  for (const [compression, magic] of magics) {
    if (magic.every((byte, index) => head[index] === byte)) return compression;
  }
  // Zstandard's skippable frames may stand first (RFC 8878, 3.1.2).
  const [first = 0, ...rest] = head.subarray(0, 4);
  if ((first & 0xf0) === 0x50 && Buffer.from(rest).equals(skippable)) return 'zstd';
  return 'none';
}
const skippable = Buffer.from([0x2a, 0x4d, 0x18]);

/** Folders where programs are looked for, whatever the caller's environment says. */
export const programFolders = ['/usr/bin', '/bin', '/usr/local/bin'];

export const missingProgram = (compression: Compression): Error =>
  unavailable(
    `cannot read ${compression} data: the program "${compression}" is not installed; install it and try again`,
  );

export const damaged = (compression: Compression, cause?: unknown): Error =>
  invalidArgument(
    `invalid archive: the ${compression} data is damaged or truncated${cause === undefined ? '' : `: ${messageOf(cause)}`}`,
    cause,
  );

/** Gives back the first bytes of a stream (fewer only if it ends) together with the whole stream. */
export async function peek(
  source: AsyncIterable<Uint8Array>,
  length: number,
): Promise<{ readonly head: Uint8Array; readonly whole: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let seen = 0;
  let ended = false;
  while (seen < length && !ended) {
    const step = await iterator.next();
    if (step.done) ended = true;
    else {
      chunks.push(step.value);
      seen += step.value.length;
    }
  }
  async function* replay(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* chunks;
      while (!ended) {
        const step = await iterator.next();
        if (step.done) ended = true;
        else yield step.value;
      }
    } finally {
      if (!ended) await iterator.return?.();
    }
  }
  return { head: Buffer.concat(chunks).subarray(0, length), whole: replay() };
}

async function* throughZlib(
  source: AsyncIterable<Uint8Array>,
  filter: Transform,
  compression: Compression,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let failure: Error | undefined;
  const input = Readable.from(source, { objectMode: false });
  input.on('error', (error) => {
    failure = error;
    filter.destroy(error);
  });
  input.pipe(filter);
  const abort = (): void => void filter.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    // A stream of bytes yields nothing but buffers.
    for await (const chunk of filter as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    signal.throwIfAborted();
    throw failure ?? damaged(compression, error);
  } finally {
    signal.removeEventListener('abort', abort);
    input.destroy();
    filter.destroy();
  }
}

// Assigned in a callback, which narrowing does not see.
function throwIfSet(failure: Error | undefined): void {
  if (failure) throw failure;
}

async function* throughProgram(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const child = spawn(compression, ['-dc'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: programFolders.join(':') },
    signal,
  });
  let failure: Error | undefined;
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  ended.catch(() => undefined);
  const input = Readable.from(source, { objectMode: false });
  input.on('error', (error) => {
    failure = error;
    child.kill('SIGKILL');
  });
  // The program closes its end early when it fails; its exit code tells.
  child.stdin.on('error', () => undefined);
  input.pipe(child.stdin);
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) yield chunk;
    const code = await ended.catch((error: unknown) => {
      signal.throwIfAborted();
      throw errnoOf(error) === 'ENOENT' ? missingProgram(compression) : error;
    });
    signal.throwIfAborted();
    throwIfSet(failure);
    if (code !== 0) throw damaged(compression);
  } finally {
    input.destroy();
    child.kill('SIGKILL');
  }
}

/**
 * The uncompressed bytes of a stream, whatever it turns out to be: gzip, zstd, bzip2, xz or plain. The stream
 * throws invalidArgument for damaged data, unavailable if a program is missing, the signal's reason on abort.
 */
export async function decompress(
  source: AsyncIterable<Uint8Array>,
  options: { signal: AbortSignal },
): Promise<{ readonly compression: Compression; readonly stream: AsyncIterable<Uint8Array> }> {
  const { head, whole } = await peek(source, magicLength);
  const compression = detectCompression(head);
  if (compression === 'none') return { compression, stream: whole };
  if (compression === 'bzip2' || compression === 'xz') {
    return { compression, stream: throughProgram(whole, compression, options.signal) };
  }
  const filter = compression === 'gzip' ? createGunzip({ chunkSize: 1 << 18 }) : createZstdDecompress();
  return { compression, stream: throughZlib(whole, filter, compression, options.signal) };
}
