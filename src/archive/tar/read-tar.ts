import { paddingOf, type SparseRun, type StoredHeader } from './header.ts';
import { readHeader, truncated } from './read-header.ts';

/** An entry of an archive that is being read. Its content is there until the next entry is asked for. */
export interface TarEntry {
  readonly header: StoredHeader;
  /** The file's bytes, holes of a sparse file filled with zeros. May be left unread. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Bytes on demand from a stream of chunks. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** At least one byte and at most `limit`, or nothing at the end. */
  async some(limit: number): Promise<Buffer | undefined> {
    while (this.#chunk.length === 0) {
      const step = await this.#source.next();
      if (step.done) return undefined;
      this.#chunk = Buffer.from(step.value.buffer, step.value.byteOffset, step.value.length);
    }
    const part = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(part.length);
    return part;
  }

  /** Exactly `length` bytes; fewer only at the end. */
  async exactly(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const part = await this.some(missing);
      if (!part) break;
      parts.push(part);
      missing -= part.length;
    }
    const [only] = parts;
    return parts.length === 1 && only ? only : Buffer.concat(parts);
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/** The stored bytes of one entry; finish() skips what nobody read. */
class Content {
  readonly #reader: ByteReader;
  readonly #header: StoredHeader;
  #left: number;

  constructor(reader: ByteReader, header: StoredHeader) {
    this.#reader = reader;
    this.#header = header;
    this.#left = header.stored;
  }

  async #next(limit: number): Promise<Buffer> {
    const part = await this.#reader.some(Math.min(limit, this.#left));
    if (!part) throw truncated(this.#header.name);
    this.#left -= part.length;
    return part;
  }

  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    const { size, sparse = [{ offset: 0, length: size }] } = this.#header;
    let at = 0;
    for (const run of [...sparse, { offset: size, length: 0 } satisfies SparseRun]) {
      for (; at < run.offset; at += zeros.length) {
        yield zeros.subarray(0, Math.min(zeros.length, run.offset - at));
      }
      at = run.offset;
      for (const end = at + run.length; at < end;) {
        const part = await this.#next(end - at);
        at += part.length;
        yield part;
      }
    }
  }

  async finish(): Promise<void> {
    while (this.#left > 0) await this.#next(this.#left);
    const padding = paddingOf(this.#header.stored);
    const skipped = await this.#reader.exactly(padding);
    if (skipped.length < padding) throw truncated(this.#header.name);
  }
}
const zeros = Buffer.alloc(65536);

/**
 * Reads an uncompressed tar from a stream, entry by entry, and then the source to its end. Throws invalidArgument
 * for what is no tar or ends too early. Leaving the loop closes the source.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void, undefined> {
  const reader = new ByteReader(source);
  const globals = new Map<string, Buffer>();
  try {
    for (;;) {
      const parser = readHeader(globals);
      let step = parser.next();
      while (!step.done) step = parser.next(await reader.exactly(step.value));
      const header = step.value;
      if (!header) break;
      const content = new Content(reader, header);
      yield { header, content: content.read() };
      await content.finish();
    }
    while (await reader.some(1 << 20));
  } finally {
    await reader.close();
  }
}
