import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { close } from '#linux';
import { paddingOf, tarHeader, type StoredHeader, type TarHeader } from '../tar/header.ts';
import { endOfArchive, formatHeader } from '../tar/write-header.ts';
import type { Content } from './extractor.ts';
import { writeAll } from './filter.ts';
import { openFileIn, type Found } from './walk.ts';

const chunkSize = 1 << 20;

/** An uncompressed tar written to a descriptor with blocking calls, hashed on the way. */
export class TarOutput {
  readonly #fd: number;
  readonly #check: () => void;
  readonly #hash = createHash('sha256');
  readonly #buffer = Buffer.allocUnsafeSlow(chunkSize);
  #used = 0;
  #size = 0;
  #entries = 0;

  constructor(fd: number, check: () => void) {
    this.#fd = fd;
    this.#check = check;
  }

  /** An entry without content. */
  addHeader(header: TarHeader): void {
    this.#entries += 1;
    this.#write(formatHeader(header));
  }

  /** A regular file. One that shrinks meanwhile is filled up with zeros, one that grows is cut. */
  addFile(header: TarHeader, found: Found): void {
    const opened = openFileIn(found);
    if (!opened) return;
    const { fd, size } = opened;
    try {
      this.addHeader(tarHeader({ ...header, size }));
      this.#size += size;
      for (let left = size; left > 0;) {
        if (this.#used === chunkSize) this.#flush();
        const room = Math.min(left, chunkSize - this.#used);
        const read = readSync(fd, this.#buffer, this.#used, room, null);
        if (read === 0) this.#buffer.fill(0, this.#used, this.#used + room);
        this.#used += read || room;
        left -= read || room;
      }
      this.#write(Buffer.alloc(paddingOf(size)));
    } finally {
      close(fd);
    }
  }

  /** A regular file whose contents come from another archive; holes of a sparse one are written out. */
  addStored(header: StoredHeader, content: Content): void {
    const { sparse, stored, size, ...rest } = header;
    this.addHeader(tarHeader({ ...rest, size }));
    this.#size += size;
    let at = 0;
    for (const { offset, length } of sparse ?? [{ offset: 0, length: stored }]) {
      this.#zeros(offset - at);
      for (let left = length; left > 0;) {
        const part = content.next(left);
        this.#write(part);
        left -= part.length;
      }
      at = offset + length;
    }
    this.#zeros(size - at);
    this.#zeros(paddingOf(size));
  }

  #zeros(count: number): void {
    for (let left = count; left > 0; left -= chunkSize) this.#write(Buffer.alloc(Math.min(left, chunkSize)));
  }

  /** Ends the archive. Returns its digest in hex and what it holds. */
  finish(): { readonly digest: string; readonly size: number; readonly entries: number } {
    this.#write(endOfArchive());
    this.#flush();
    return { digest: this.#hash.digest('hex'), size: this.#size, entries: this.#entries };
  }

  #write(data: Buffer): void {
    for (let at = 0; at < data.length;) {
      if (this.#used === chunkSize) this.#flush();
      const copied = data.copy(this.#buffer, this.#used, at);
      this.#used += copied;
      at += copied;
    }
  }

  #flush(): void {
    this.#check();
    const chunk = this.#buffer.subarray(0, this.#used);
    this.#hash.update(chunk);
    writeAll(this.#fd, chunk);
    this.#used = 0;
  }
}
