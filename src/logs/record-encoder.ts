import { isUtf8 } from 'node:buffer';
import { formatTime, type Clock } from '#kernel';
import { characterBoundary, toValidUtf8 } from './utf8.ts';

export type LogStream = 'stdout' | 'stderr';

/** A longer line is kept as several records, of which only the last ends in a newline. */
export const MAX_RECORD_BYTES = 16 * 1024;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;

/** What a RecordEncoder holds between two chunks; plain JSON. */
export interface EncoderState {
  /** base64 of the unfinished line. */
  readonly pending: string;
  /** Time of the first record of the line under way; its further records carry the same. */
  readonly partialTime: string | undefined;
}

/**
 * One output stream → Docker's json-file records: `{"log":…,"stream":…,"attrs":…,"time":…}` and a newline, one per
 * line. Records come as "binary" strings, one char per UTF-8 byte, which is what makes JSON.stringify fast here.
 */
export class RecordEncoder {
  readonly #clock: Clock;
  readonly #tail: string;
  #pending: Buffer = Buffer.alloc(0);
  #partialTime: string | undefined;

  constructor(stream: LogStream, clock: Clock, attrs?: Readonly<Record<string, string>>) {
    this.#clock = clock;
    const extra = attrs && Object.keys(attrs).length > 0 ? `"attrs":${binary(JSON.stringify(attrs))},` : '';
    this.#tail = `","stream":"${stream}",${extra}"time":"`;
  }

  /** Records of the lines that `chunk` completes, '' if none. The chunk's memory may be reused afterwards. */
  encode(chunk: Buffer): string {
    const data = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk;
    const end = data.lastIndexOf(NEWLINE) + 1;
    const lines = data.subarray(0, end);
    let records = '';
    if (end > 0) records = this.#encodeFast(lines) ?? this.#encodeLines(lines);
    const [partial, rest] = this.#cutPartials(data.subarray(end));
    this.#pending = Buffer.from(rest);
    return records + partial;
  }

  /** The end of the stream: what is left becomes a record without newline. */
  end(): string {
    const record = this.#pending.length > 0 ? this.#record(quote(this.#pending), this.#time()) : '';
    this.#pending = Buffer.alloc(0);
    this.#partialTime = undefined;
    return record;
  }

  save(): EncoderState {
    return { pending: this.#pending.toString('base64'), partialTime: this.#partialTime };
  }

  restore(state: EncoderState): void {
    this.#pending = Buffer.from(state.pending, 'base64');
    this.#partialTime = state.partialTime;
  }

  /** Whole lines at once: one stringify, split at the escaped newlines. Undefined when they need the careful way. */
  #encodeFast(lines: Buffer): string | undefined {
    // An escaped backslash before an `n` would look like an escaped newline.
    if (this.#partialTime !== undefined || lines.includes(BACKSLASH) || !isUtf8(lines)) return undefined;
    const parts = JSON.stringify(lines.toString('latin1')).slice(1, -3).split('\\n');
    const times = new TimeSequence(this.#clock.now());
    const beforeTime = `\\n${this.#tail}${times.seconds}`;
    let records = '';
    for (const part of parts) {
      if (part.length >= MAX_RECORD_BYTES) return undefined;
      records += `{"log":"${part}${beforeTime}${times.nextFraction()}Z"}\n`;
    }
    return records;
  }

  #encodeLines(lines: Buffer): string {
    let records = '';
    for (let start = 0; start < lines.length;) {
      const end = lines.indexOf(NEWLINE, start);
      const [partial, rest] = this.#cutPartials(lines.subarray(start, end));
      records += partial + this.#record(`${quote(rest)}\\n`, this.#time());
      this.#partialTime = undefined;
      start = end + 1;
    }
    return records;
  }

  /** Takes records of the maximal size off an unfinished or long line; returns them and the rest. */
  #cutPartials(line: Buffer): [records: string, rest: Buffer] {
    let records = '';
    let rest = line;
    while (rest.length >= MAX_RECORD_BYTES) {
      const cut = characterBoundary(rest, MAX_RECORD_BYTES);
      this.#partialTime ??= formatTime(this.#clock.now());
      records += this.#record(quote(rest.subarray(0, cut)), this.#partialTime);
      rest = rest.subarray(cut);
    }
    return [records, rest];
  }

  #time(): string {
    return this.#partialTime ?? formatTime(this.#clock.now());
  }

  #record(quoted: string, time: string): string {
    return `{"log":"${quoted}${this.#tail}${time}"}\n`;
  }
}

const binary = (text: string): string => Buffer.from(text).toString('latin1');

/** JSON's escapes, without the quotation marks. */
function quote(bytes: Buffer): string {
  const valid = isUtf8(bytes) ? bytes : toValidUtf8(bytes);
  return JSON.stringify(valid.toString('latin1')).slice(1, -1);
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
