import { formatTime } from '#kernel';

const HEAD = Buffer.from('{"log":"');
const LINE_END = Buffer.from('\\n');
const RECORD_END = Buffer.from('Z"}\n');
/** Between the time of one record and the text of the next. */
const BETWEEN = Buffer.concat([RECORD_END, HEAD]);
const NEWLINE = 0x0a;
const FRACTION_DIGITS = 9;
const ZERO = 0x30;
const NINE = 0x39;
/** U+2028 and U+2029 are e2 80 a8 and e2 80 a9. */
const SEPARATOR_LEAD = 0xe2;
/** The longest that one byte becomes: `\u0001`. */
const MAX_EXPANSION = 6;
const KEPT_BYTES = 2 * 1024 * 1024;

/** What Docker writes in the place of a byte, and so of Go's JSON, which is also fit for HTML; undefined: the byte. */
const escapes: readonly (Buffer | undefined)[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (character === '"' || character === '\\') return Buffer.from(`\\${character}`);
  if (character === '\n') return LINE_END;
  if (character === '\r') return Buffer.from('\\r');
  if (byte >= 0x20 && !'<>&'.includes(character)) return undefined;
  return Buffer.from(`\\u${byte.toString(16).padStart(4, '0')}`);
});
const special = Uint8Array.from(escapes, (escape, byte) => (escape || byte === SEPARATOR_LEAD ? 1 : 0));

/** Shared by all: records are taken out before others are put in. */
let shared = Buffer.allocUnsafeSlow(256 * 1024);

/**
 * Puts json-file records together, byte by byte and without garbage: `{"log":"…","stream":…,"time":…}` and a newline.
 * All records of one chunk have times a nanosecond apart, since readers resume after a time.
 */
export class RecordBuffer {
  /** From behind the log's text over the time, whose nine digits count up in place, to the text of the next record. */
  readonly #seam: Buffer;
  readonly #timeStart: number;
  readonly #fraction: number;
  readonly #fractionEnd: number;
  #out = shared;
  #length = 0;
  #second = -1n;

  /** `between`: the JSON between the log's text and the time. */
  constructor(between: string) {
    const prefix = Buffer.from(`\\n${between}"time":"`);
    this.#timeStart = prefix.length;
    this.#fraction = prefix.length + '2026-01-01T00:00:00.'.length;
    this.#fractionEnd = this.#fraction + FRACTION_DIGITS;
    this.#seam = Buffer.concat([prefix, Buffer.from('2026-01-01T00:00:00.000000000'), BETWEEN]);
  }

  /** Begins with nothing in it. `now`: time of the next record, in nanoseconds. */
  begin(now: bigint): void {
    this.#out = shared;
    this.#length = 0;
    const second = now / 1_000_000_000n;
    if (second !== this.#second) {
      this.#second = second;
      this.#seam.write(formatTime(second * 1_000_000_000n).slice(0, -1), this.#timeStart, 'latin1');
    }
    const fraction = Number(now % 1_000_000_000n);
    this.#seam.write(fraction.toString().padStart(FRACTION_DIGITS, '0'), this.#fraction, 'latin1');
  }

  /** The next record's time, for several: RFC 3339 with the fraction's trailing zeros trimmed, without the `Z`. */
  takeTime(): string {
    const time = this.#seam.toString('latin1', this.#timeStart, this.#timeEnd());
    this.#tick();
    return time;
  }

  /**
   * Adds a record for each line, of valid UTF-8, up to one that is `limit` bytes long or longer. Answers where that
   * begins; `end`, which is behind a newline, when there is none.
   */
  addLines(text: Uint8Array, start: number, end: number, limit: number): number {
    let index = start;
    while (index < end) {
      const line = index;
      const before = this.#length;
      this.#reserve(limit);
      this.#copy(HEAD);
      index = this.#escape(text, index, Math.min(end, line + limit));
      if (index - line >= limit || text[index] !== NEWLINE) {
        this.#length = before;
        return line;
      }
      this.#finish(0);
      index += 1;
    }
    return index;
  }

  /** Puts whole records in, made elsewhere, as a "binary" string. */
  addText(records: string): void {
    this.#reserve(records.length);
    this.#length += this.#out.write(records, this.#length, 'latin1');
  }

  /** Adds a record of valid UTF-8 without newlines; `time` stands in for the next one's own. */
  add(text: Uint8Array, options: { readonly newline: boolean; readonly time: string | undefined }): void {
    const { newline, time } = options;
    this.#reserve(text.length);
    this.#copy(HEAD);
    this.#escape(text, 0, text.length);
    const from = newline ? 0 : LINE_END.length;
    if (time === undefined) {
      this.#finish(from);
      return;
    }
    this.#copy(this.#seam.subarray(from, this.#timeStart));
    this.#copy(Buffer.from(time));
    this.#copy(RECORD_END);
  }

  /** What was added, until the next begin() of any. */
  take(): Buffer {
    return this.#out.subarray(0, this.#length);
  }

  /** The record's own time and its end. `from`: behind the newline or before it. */
  #finish(from: number): void {
    const end = this.#timeEnd();
    if (from === 0 && end === this.#fractionEnd) {
      // What is too much is written over by the next record.
      this.#copy(this.#seam);
      this.#length -= HEAD.length;
    } else {
      this.#copy(this.#seam.subarray(from, end));
      this.#copy(RECORD_END);
    }
    this.#tick();
  }

  /** Copies up to a newline; answers where that is, or `end`. */
  #escape(text: Uint8Array, start: number, end: number): number {
    const out = this.#out;
    let at = this.#length;
    let index = start;
    for (; index < end; index += 1) {
      const byte = text[index] ?? 0;
      if (special[byte] === 0) {
        out[at] = byte;
        at += 1;
        continue;
      }
      if (byte === NEWLINE) break;
      const separator = byte === SEPARATOR_LEAD ? separatorAt(text, index, end) : undefined;
      const escape = separator ?? escapes[byte];
      if (escape) {
        out.set(escape, at);
        at += escape.length;
        if (separator) index += 2;
      } else {
        out[at] = byte;
        at += 1;
      }
    }
    this.#length = at;
    return index;
  }

  #copy(bytes: Uint8Array): void {
    this.#out.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Where the time ends without trailing zeros, and without its point when nothing is left. */
  #timeEnd(): number {
    const seam = this.#seam;
    let end = this.#fractionEnd;
    while (seam[end - 1] === ZERO && end > this.#fraction) end -= 1;
    return end === this.#fraction ? end - 1 : end;
  }

  /** One nanosecond on; at the end of a second the time stands still until the next chunk. */
  #tick(): void {
    const seam = this.#seam;
    let at = this.#fractionEnd - 1;
    while (seam[at] === NINE && at >= this.#fraction) at -= 1;
    if (at < this.#fraction) return;
    seam[at] = (seam[at] ?? ZERO) + 1;
    for (at += 1; at < this.#fractionEnd; at += 1) seam[at] = ZERO;
  }

  #reserve(textLength: number): void {
    const needed = this.#length + textLength * MAX_EXPANSION + this.#seam.length + 2 * HEAD.length;
    if (needed <= this.#out.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#out.length * 2));
    larger.set(this.#out.subarray(0, this.#length));
    this.#out = larger;
    if (larger.length <= KEPT_BYTES) shared = larger;
  }
}

const separators: readonly Buffer[] = [Buffer.from('\\u2028'), Buffer.from('\\u2029')];

function separatorAt(text: Uint8Array, index: number, end: number): Buffer | undefined {
  if (index + 2 >= end || text[index + 1] !== 0x80) return undefined;
  return separators[(text[index + 2] ?? 0) - 0xa8];
}
