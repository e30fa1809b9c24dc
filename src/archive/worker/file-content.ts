import { readSync } from 'node:fs';
import type { Content } from './extractor.ts';

/** The content of a file on disk, in the form in which an extractor takes it. */
export class FileContent implements Content {
  readonly #fd: number;
  readonly #buffer: Buffer;

  constructor(fd: number, buffer: Buffer) {
    this.#fd = fd;
    this.#buffer = buffer;
  }

  next(limit: number): Buffer {
    const room = Math.min(limit, this.#buffer.length);
    const length = readSync(this.#fd, this.#buffer, 0, room, null);
    // A file that shrinks while it is copied is filled up with zeros.
    if (length === 0) return this.#buffer.subarray(0, room).fill(0);
    return this.#buffer.subarray(0, length);
  }
}

/** For what has none. */
export const noContent: Content = { next: () => Buffer.alloc(0) };
