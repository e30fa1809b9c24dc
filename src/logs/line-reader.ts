import type { FileHandle } from 'node:fs/promises';

const CHUNK_BYTES = 128 * 1024;
const NEWLINE = 0x0a;

/**
 * Whole lines of a file from a position on, as far as the file goes now; a line still being written is left for the
 * next call. Lines come without their newline and must be used before the next batch is asked for.
 */
export class LineReader {
  readonly handle: FileHandle;
  /** Offset behind the last whole line. */
  position: number;
  readonly #buffer = Buffer.allocUnsafe(CHUNK_BYTES);

  constructor(handle: FileHandle, position: number) {
    this.handle = handle;
    this.position = position;
  }

  /** The next lines, at most one chunk of them; empty at the end of the file. */
  async next(): Promise<Buffer[]> {
    let buffer = this.#buffer;
    let filled = 0;
    for (;;) {
      const { bytesRead } = await this.handle.read(
        buffer,
        filled,
        buffer.length - filled,
        this.position + filled,
      );
      filled += bytesRead;
      const end = buffer.subarray(0, filled).lastIndexOf(NEWLINE) + 1;
      if (end > 0) {
        this.position += end;
        return splitLines(buffer.subarray(0, end));
      }
      if (bytesRead === 0) return [];
      // One record is longer than the buffer: attributes can make it so.
      if (filled === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
    }
  }
}

function splitLines(data: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < data.length;) {
    const end = data.indexOf(NEWLINE, start);
    if (end > start) lines.push(data.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

/**
 * Where the last `count` whole lines of the first `size` bytes begin, found backwards. `found` < count: the file has
 * no more.
 */
export async function tailPosition(
  handle: FileHandle,
  size: number,
  count: number,
): Promise<{ position: number; found: number }> {
  const buffer = Buffer.allocUnsafe(64 * 1024);
  let found = -1;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - buffer.length);
    const { bytesRead } = await handle.read(buffer, 0, end - start, start);
    const chunk = buffer.subarray(0, bytesRead);
    for (
      let at = chunk.lastIndexOf(NEWLINE);
      at >= 0;
      at = at > 0 ? chunk.lastIndexOf(NEWLINE, at - 1) : -1
    ) {
      found += 1;
      if (found === count) return { position: start + at + 1, found: count };
    }
    end = start;
  }
  // The first line has no newline before it.
  return { position: 0, found: Math.max(0, found + 1) };
}
