import { isUtf8 } from 'node:buffer';
import type { Clock } from '#kernel';
import { RecordBuffer } from './record-buffer.ts';
import { characterBoundary, toValidUtf8 } from './utf8.ts';

export type LogStream = 'stdout' | 'stderr';

/** A longer line is kept as several records, of which only the last ends in a newline. */
export const MAX_RECORD_BYTES = 16 * 1024;
const NEWLINE = 0x0a;
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
  #pending: Buffer = nothing;
  /** Without its `Z`. */
  #partialTime: string | undefined;

  constructor(stream: LogStream, clock: Clock, attrs?: Readonly<Record<string, string>>) {
    this.#clock = clock;
    const extra = attrs && Object.keys(attrs).length > 0 ? `"attrs":${JSON.stringify(attrs)},` : '';
    this.#records = new RecordBuffer(`","stream":"${stream}",${extra}`);
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
    this.#records.begin(this.#clock.now());
    if (end > 0) this.#addLines(data.subarray(0, end));
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
