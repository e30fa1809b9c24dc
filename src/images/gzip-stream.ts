import { existsSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { internal } from '#kernel';
import { close, openPipe, spawnProcess, waitForChild } from '#linux';

const gzipChunk = promisify(gzip);
const chunkSize = 1 << 20;
/** Chunks on their way at once; libuv's pool has four threads. */
const parallel = 3;
const level = 4;

const igzip = ['/usr/bin/igzip', '/usr/local/bin/igzip'];

/**
 * A file as gzip: by igzip where it is installed (three times as fast), else by zlib in libuv's threads, in members
 * of 1 MiB (RFC 1952 §2.2 allows any number). The same file gives the same bytes each time.
 */
export async function* gzipFile(
  path: string,
  options: { signal: AbortSignal; program?: string | undefined },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, program = igzip.find((each) => existsSync(each)) } = options;
  await using file = await open(path, 'r');
  yield* program !== undefined && existsSync(program)
    ? byProgram(program, file, signal)
    : byZlib(file, signal);
}

async function* byProgram(
  program: string,
  file: FileHandle,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal.throwIfAborted();
  await using nothing = await open('/dev/null', 'w');
  const pipe = openPipe(1 << 20);
  let pid: number | undefined;
  try {
    // Not through child_process, whose fork would hold up this thread for as long as this process is large.
    pid = spawnProcess({
      path: program,
      args: ['igzip', '-n', '-c'],
      env: [],
      stdio: [file.fd, pipe.write, nothing.fd],
    });
  } finally {
    close(pipe.write);
    if (pid === undefined) close(pipe.read);
  }
  let running: number | undefined = pid;
  const output = new Socket({ fd: pipe.read, readable: true, writable: false, signal });
  try {
    for await (const chunk of output as AsyncIterable<Uint8Array>) yield chunk;
    running = undefined;
    // It has closed its output and is on its way out.
    const code = waitForChild(pid);
    if (code !== 0) throw internal(`${program} failed with exit code ${code}`);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    output.destroy();
    if (running !== undefined) {
      process.kill(running, 'SIGKILL');
      waitForChild(running);
    }
  }
}

async function* byZlib(file: FileHandle, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
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
