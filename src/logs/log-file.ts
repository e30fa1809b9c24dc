import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  write,
  writeSync,
} from 'node:fs';
import { readdir, rm, truncate } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '#kernel';
import { compressedPath, compressLog } from './compressed-log.ts';

/** Rotated files: `path.1` is the one before the newest. */
export const rotatedPath = (path: string, age: number): string => (age === 0 ? path : `${path}.${age}`);

const FLAGS = 'a+';
const NEWLINE = 0x0a;
/** Up to this size a write to the page cache is cheaper than a trip to the thread pool. */
const SMALL_BYTES = 32 * 1024;

export interface LogFileOptions {
  readonly path: string;
  /** Bytes from which on the next record opens a new file. */
  readonly maxSize: number | undefined;
  readonly maxFiles: number;
  /** Rotated files become `.gz`. */
  readonly compress?: boolean | undefined;
}

/** An append-only file of records, rotated by size. Writes are in order; errors are reported once and drop records. */
export class LogFile {
  readonly #options: LogFileOptions;
  readonly #onError: (error: unknown) => void;
  #fd: number;
  #size: number;
  #queue: (Buffer | 'rotate')[] = [];
  #queuedBytes = 0;
  #running: Promise<void> | undefined;
  #compressing: Promise<void> | undefined;
  #closed = false;

  /** Opens or creates the file and its folder. Throws Node's file errors. */
  constructor(options: LogFileOptions, onError: (error: unknown) => void) {
    this.#options = options;
    this.#onError = onError;
    this.#fd = openAppend(options.path);
    this.#size = endLine(this.#fd);
  }

  /** Bytes waiting to be written. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Queues whole records, each with its newline; their memory may be reused afterwards. */
  append(records: Buffer): void {
    if (this.#closed || records.length === 0) return;
    const { maxSize } = this.#options;
    if (maxSize !== undefined && this.#size + records.length > maxSize) {
      this.#pushRotating(records, maxSize);
      return;
    }
    this.#size += records.length;
    this.#push(records);
  }

  /** Waits until everything appended so far is written. */
  async flush(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async close(): Promise<void> {
    await this.flush();
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }

  #pushRotating(records: Buffer, maxSize: number): void {
    let start = 0;
    for (let at = 0; at < records.length;) {
      if (this.#size >= maxSize) {
        this.#push(records.subarray(start, at));
        this.#pushRotation();
        start = at;
        this.#size = 0;
      }
      const end = records.indexOf(NEWLINE, at) + 1;
      this.#size += end - at;
      at = end;
    }
    this.#push(records.subarray(start));
  }

  #push(batch: Buffer): void {
    if (batch.length === 0) return;
    if (!this.#running && batch.length <= SMALL_BYTES) {
      this.#guard(() => writeWhole(this.#fd, batch));
      return;
    }
    const data = copyBuffer(batch);
    this.#queue.push(data);
    this.#queuedBytes += data.length;
    this.#running ??= this.#run();
  }

  #pushRotation(): void {
    if (!this.#running && !this.#compressing) {
      this.#guard(() => this.#rotate());
      return;
    }
    this.#queue.push('rotate');
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    for (;;) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      if (next === 'rotate') {
        await this.#compressing;
        this.#guard(() => this.#rotate());
        continue;
      }
      await writeAll(this.#fd, next).catch(this.#onError);
      this.#queuedBytes -= next.length;
      giveBuffer(next);
    }
    this.#running = undefined;
  }

  #rotate(): void {
    const { path, maxFiles, compress } = this.#options;
    if (maxFiles < 2) rmSync(path, { force: true });
    for (let age = maxFiles - 1; age >= 1; age -= 1) {
      const [younger, older] = [rotatedPath(path, age - 1), rotatedPath(path, age)];
      if (renameIfThere(younger, older)) rmSync(compressedPath(older), { force: true });
      else if (renameIfThere(compressedPath(younger), compressedPath(older))) rmSync(older, { force: true });
    }
    const fd = openAppend(path);
    closeSync(this.#fd);
    this.#fd = fd;
    if (!compress || maxFiles < 2) return;
    this.#compressing = compressLog(rotatedPath(path, 1))
      .catch(this.#onError)
      .finally(() => {
        this.#compressing = undefined;
      });
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#onError(error);
    }
  }
}

const POOLED_BYTES = 256 * 1024;
const MAX_POOLED = 8;
/** Buffers of one size for records on their way to the disk: as garbage they would pile up outside the heap. */
const pool: Buffer[] = [];

function copyBuffer(data: Buffer): Buffer {
  if (data.length > POOLED_BYTES) return Buffer.from(data);
  const buffer = pool.pop() ?? Buffer.allocUnsafeSlow(POOLED_BYTES);
  return buffer.subarray(0, data.copy(buffer));
}

function giveBuffer(data: Buffer): void {
  if (data.buffer.byteLength !== POOLED_BYTES || pool.length >= MAX_POOLED) return;
  pool.push(Buffer.from(data.buffer));
}

function openAppend(path: string): number {
  try {
    return openSync(path, FLAGS, 0o640);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    mkdirSync(dirname(path), { recursive: true, mode: 0o710 });
    return openSync(path, FLAGS, 0o640);
  }
}

function renameIfThere(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    // A reader who clears the log may take files away.
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Closes a line that an earlier writer's death cut off. Returns the file's size. */
function endLine(fd: number): number {
  const { size } = fstatSync(fd);
  if (size === 0) return 0;
  const last = Buffer.alloc(1);
  readSync(fd, last, 0, 1, size - 1);
  return last[0] === 0x0a ? size : size + writeSync(fd, '\n');
}

function writeWhole(fd: number, data: Buffer): void {
  for (let offset = 0; offset < data.length;) offset += writeSync(fd, data, offset);
}

async function writeAll(fd: number, data: Buffer): Promise<void> {
  for (let offset = 0; offset < data.length;) {
    offset += await new Promise<number>((resolve, reject) => {
      write(fd, data, offset, data.length - offset, null, (error, count) => {
        if (error) reject(error);
        else resolve(count);
      });
    });
  }
}

/** Empties a container's log: rotated files go, the newest is cut to nothing (its writer goes on). */
export async function clearLogs(path: string): Promise<void> {
  const folder = dirname(path);
  const older = `${basename(path)}.`;
  for (const name of existsSync(folder) ? await readdir(folder) : []) {
    if (name.startsWith(older) && /^\d+(?:\.gz)?$/.test(name.slice(older.length))) {
      await rm(join(folder, name), { force: true });
    }
  }
  await truncate(path).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
}
