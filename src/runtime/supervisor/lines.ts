const NEWLINE = 0x0a;

/** Longest line taken, in bytes: an exec's process object with a large environment stays far below. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** Cuts a byte stream into lines. */
export class LineSplitter {
  #parts: Buffer[] = [];
  #length = 0;

  /** The lines that `chunk` completes. Throws RangeError on an endless line. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(this.#take(chunk.subarray(start, end)));
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
    return lines;
  }

  /** Only the first line, and what follows it; undefined until it is complete. */
  pushFirst(chunk: Buffer): { line: string; rest: Buffer } | undefined {
    const end = chunk.indexOf(NEWLINE);
    if (end >= 0) return { line: this.#take(chunk.subarray(0, end)), rest: chunk.subarray(end + 1) };
    this.#keep(chunk);
    return undefined;
  }

  #take(last: Buffer): string {
    const line = this.#parts.length > 0 ? Buffer.concat([...this.#parts, last]) : last;
    this.#parts = [];
    this.#length = 0;
    return line.toString();
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#length += part.length;
    if (this.#length > MAX_LINE_BYTES) throw new RangeError('line too long');
    this.#parts.push(Buffer.from(part));
  }
}
