import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { errnoOf, internal } from '#kernel';

const gzipChunk = promisify(gzip);
const chunkSize = 1 << 20;
/** Chunks on their way at once; libuv's pool has four threads. */
const parallel = 3;
const level = 4;

/**
 * A file as gzip: by igzip where it is installed (three times as fast), else by zlib in libuv's threads, in members
 * of 1 MiB (RFC 1952 §2.2 allows any number).
 */
export async function* gzipFile(
  path: string,
  options: { signal: AbortSignal; program?: string },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, program = 'igzip' } = options;
  try {
    yield* byProgram(program, path, signal);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    yield* byZlib(path, signal);
  }
}

async function* byProgram(
  program: string,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await open(path, 'r');
  const child = spawn(program, ['-n', '-c'], { stdio: [file.fd, 'pipe', 'ignore'], signal });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  ended.catch(() => undefined);
  try {
    // A program that cannot be started ends its output at once, and tells why in `ended`.
    for await (const chunk of child.stdout as AsyncIterable<Uint8Array>) yield chunk;
    const code = await ended;
    if (code !== 0) throw internal(`${program} failed with exit code ${String(code)}`);
  } finally {
    child.kill('SIGKILL');
  }
}

async function* byZlib(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await open(path, 'r');
  const pending: Promise<Uint8Array>[] = [];
  for (;;) {
    signal.throwIfAborted();
    const buffer = Buffer.allocUnsafe(chunkSize);
    const { bytesRead } = await file.read(buffer, 0, chunkSize);
    if (bytesRead === 0) break;
    const next = gzipChunk(buffer.subarray(0, bytesRead), { level });
    next.catch(() => undefined);
    pending.push(next);
    const first = pending.length >= parallel ? pending.shift() : undefined;
    if (first) yield await first;
  }
  for (const rest of pending) yield await rest;
}
