import { readSync } from 'node:fs';
import type { Content } from './extractor.ts';

/** The content of a file on disk, or of a part of it, in the form in which an extractor takes it. */
export class FileContent implements Content {
  readonly #fd: number;
  readonly #buffer: Buffer;
  #at: number;
  readonly #end: number;

  /** From `offset` to `end`, in bytes. */
  constructor(fd: number, buffer: Buffer, offset = 0, end = Infinity) {
    this.#fd = fd;
    this.#buffer = buffer;
    this.#at = offset;
    this.#end = end;
  }

  next(limit: number): Buffer {
    const room = Math.min(limit, this.#buffer.length);
    const length = readSync(this.#fd, this.#buffer, 0, Math.min(room, this.#end - this.#at), this.#at);
    this.#at += length;
    // A file that shrinks while it is copied is filled up with zeros.
    if (length === 0) return this.#buffer.subarray(0, room).fill(0);
    return this.#buffer.subarray(0, length);
  }
}

/** For what has none. */
export const noContent: Content = { next: () => Buffer.alloc(0) };
