import { createHash, type Hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { invalidArgument } from '#kernel';
import { paddingOf, type StoredHeader } from '../tar/header.ts';
import { readHeader, truncated } from '../tar/read-header.ts';
import type { Content } from './extractor.ts';

const chunkSize = 1 << 20;

/** An uncompressed tar read from a descriptor with blocking calls, hashed on the way. */
export class TarInput {
  readonly #fd: number;
  readonly #check: () => void;
  readonly #limit: number;
  #total = 0;
  readonly #hash: Hash = createHash('sha256');
  readonly #buffer = Buffer.allocUnsafeSlow(chunkSize);
  #chunk = this.#buffer.subarray(0, 0);

  /** `check` runs before each read and throws to stop. `limit`: bytes, what is beyond them is invalidArgument. */
  constructor(fd: number, check: () => void, limit = Infinity) {
    this.#fd = fd;
    this.#check = check;
    this.#limit = limit;
  }

  /** Every entry, with its content; what `visit` leaves unread is skipped. Then the rest of the input. */
  readEntries(visit: (header: StoredHeader, content: Content) => void): void {
    const globals = new Map<string, Buffer>();
    for (;;) {
      const parser = readHeader(globals);
      let step = parser.next();
      while (!step.done) step = parser.next(this.#exactly(step.value));
      const header = step.value;
      if (!header) break;
      let left = header.stored;
      const next = (limit: number): Buffer => {
        const part = this.#some(Math.min(limit, left));
        if (part.length === 0) throw truncated(header.name);
        left -= part.length;
        return part;
      };
      visit(header, { next });
      while (left > 0) next(left);
      const padding = paddingOf(header.stored);
      if (this.#exactly(padding).length < padding) throw truncated(header.name);
    }
    while (this.#some(chunkSize).length > 0);
  }

  /** sha256 of everything read so far, in hex; ends the hashing. */
  digest(): string {
    return this.#hash.digest('hex');
  }

  /** Up to `limit` bytes that are good until the next call; none at the end. */
  #some(limit: number): Buffer {
    if (this.#chunk.length === 0) {
      this.#check();
      const length = readSync(this.#fd, this.#buffer, 0, chunkSize, null);
      this.#total += length;
      if (this.#total > this.#limit) {
        throw invalidArgument(`the archive goes on beyond the allowed ${this.#limit} bytes`);
      }
      this.#chunk = this.#buffer.subarray(0, length);
      if (length > 0) this.#hash.update(this.#chunk);
    }
    const part = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(part.length);
    return part;
  }

  #exactly(length: number): Buffer {
    if (this.#chunk.length >= length) return this.#some(length);
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0;) {
      const part = this.#some(missing);
      if (part.length === 0) break;
      missing -= part.length;
      parts.push(Buffer.from(part));
    }
    return Buffer.concat(parts);
  }
}
