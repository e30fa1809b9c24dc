import { isUtf8 } from 'node:buffer';
import { formatTime, type Clock } from '#kernel';
import { RecordBuffer } from './record-buffer.ts';
import { characterBoundary, toValidUtf8 } from './utf8.ts';

export type LogStream = 'stdout' | 'stderr';

/** A longer line is kept as several records, of which only the last ends in a newline. */
export const MAX_RECORD_BYTES = 16 * 1024;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const nothing = Buffer.alloc(0);

/** What a RecordEncoder holds between two chunks; plain JSON. */
export interface EncoderState {
  /** base64 of the unfinished line. */
  readonly pending: string;
  /** Time of the first record of the line under way; its further records carry the same. */
  readonly partialTime: string | undefined;
}

/** One output stream → Docker's json-file records, one per line. */
export class RecordEncoder {
  readonly #clock: Clock;
  readonly #records: RecordBuffer;
  readonly #between: string;
  #pending: Buffer = nothing;
  /** Without its `Z`. */
  #partialTime: string | undefined;

  constructor(stream: LogStream, clock: Clock, attrs?: Readonly<Record<string, string>>) {
    this.#clock = clock;
    const extra = attrs && Object.keys(attrs).length > 0 ? `"attrs":${JSON.stringify(attrs)},` : '';
    const between = `","stream":"${stream}",${extra}`;
    this.#between = Buffer.from(between).toString('latin1');
    this.#records = new RecordBuffer(between);
  }

  /**
   * Records of the lines that `chunk` completes, empty if none; to be used before any encoder is called again. The
   * chunk's memory may be reused afterwards.
   */
  encode(chunk: Buffer): Buffer {
    const data = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk;
    const end = data.lastIndexOf(NEWLINE) + 1;
    if (end === 0 && data.length < MAX_RECORD_BYTES) {
      this.#pending = Buffer.from(data);
      return nothing;
    }
    const now = this.#clock.now();
    this.#records.begin(now);
    if (end > 0) {
      const lines = data.subarray(0, end);
      const records = this.#encodeAtOnce(lines, now);
      if (records === undefined) this.#addLines(lines);
      else this.#records.addText(records);
    }
    const rest = this.#addPartials(data, end, data.length, false);
    this.#pending = rest === data.length ? nothing : Buffer.from(data.subarray(rest));
    return this.#records.take();
  }

  /** The end of the stream: what is left becomes a record without newline. */
  end(): Buffer {
    this.#records.begin(this.#clock.now());
    if (this.#pending.length > 0) this.#add(this.#pending, false, false);
    this.#pending = nothing;
    this.#partialTime = undefined;
    return this.#records.take();
  }

  save(): EncoderState {
    return {
      pending: this.#pending.toString('base64'),
      partialTime: this.#partialTime === undefined ? undefined : `${this.#partialTime}Z`,
    };
  }

  restore(state: EncoderState): void {
    this.#pending = Buffer.from(state.pending, 'base64');
    this.#partialTime = state.partialTime?.replace(/Z$/, '');
  }

  /**
   * Whole lines as one "binary" string (one char per byte): one stringify, split at the escaped newlines, which is
   * fastest by far. Undefined when they need the careful way.
   */
  #encodeAtOnce(lines: Buffer, now: bigint): string | undefined {
    // An escaped backslash before an `n` would look like an escaped newline.
    if (this.#partialTime !== undefined || lines.includes(BACKSLASH) || !isUtf8(lines)) return undefined;
    const parts = JSON.stringify(lines.toString('latin1')).slice(1, -3).split('\\n');
    const times = new TimeSequence(now);
    const beforeTime = `\\n${this.#between}"time":"${times.seconds}`;
    let records = '';
    for (const part of parts) {
      if (part.length >= MAX_RECORD_BYTES) return undefined;
      records += `{"log":"${part}${beforeTime}${times.nextFraction()}Z"}\n`;
    }
    return records;
  }

  #addLines(lines: Buffer): void {
    const valid = isUtf8(lines);
    for (let start = 0; start < lines.length;) {
      if (valid && this.#partialTime === undefined) {
        start = this.#records.addLines(lines, start, lines.length, MAX_RECORD_BYTES);
        if (start === lines.length) return;
      }
      const end = lines.indexOf(NEWLINE, start);
      const rest = this.#addPartials(lines, start, end, valid);
      this.#add(lines.subarray(rest, end), true, valid);
      this.#partialTime = undefined;
      start = end + 1;
    }
  }

  /** Takes records of the maximal size off an unfinished or long line; returns where its rest begins. */
  #addPartials(line: Buffer, start: number, end: number, valid: boolean): number {
    let rest = start;
    while (end - rest >= MAX_RECORD_BYTES) {
      const cut = rest + characterBoundary(line.subarray(rest, end), MAX_RECORD_BYTES);
      this.#partialTime ??= this.#records.takeTime();
      this.#add(line.subarray(rest, cut), false, valid);
      rest = cut;
    }
    return rest;
  }

  #add(bytes: Buffer, newline: boolean, valid: boolean): void {
    const text = valid || isUtf8(bytes) ? bytes : toValidUtf8(bytes);
    this.#records.add(text, { newline, time: this.#partialTime });
  }
}

/** Increasing times a nanosecond apart, without bigint work for each: readers resume after a time. */
class TimeSequence {
  /** RFC 3339 up to the seconds. */
  readonly seconds: string;
  #nanos: number;

  constructor(start: bigint) {
    this.#nanos = Number(start % 1_000_000_000n);
    this.seconds = formatTime(start - BigInt(this.#nanos)).slice(0, -1);
  }

  /** With its point, trailing zeros trimmed as Go does. */
  nextFraction(): string {
    // At the end of a second the time stands still until the next chunk.
    const nanos = Math.min(this.#nanos, 999_999_999);
    this.#nanos += 1;
    if (nanos % 10 === 0) return `.${nanos.toString().padStart(9, '0')}`.replace(/\.?0+$/, '');
    return `.${(1_000_000_000 + nanos).toString().slice(1)}`;
  }
}
