import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import type { LogStream } from '../record-encoder.ts';

/** A line of which not all pieces have come by. Times are nanoseconds since the epoch, as text. */
export interface PartialLine {
  readonly id: string;
  readonly ordinal: number;
  readonly time: string;
}

/** Up to where records have been delivered. */
export interface Position {
  /** Identity of the file, see identityOf(). */
  readonly file: string;
  /** Behind the last record delivered. */
  readonly offset: number;
  /** Of that record. */
  readonly time: string;
  readonly partials: Readonly<Partial<Record<LogStream, PartialLine | undefined>>>;
}

/** One record of fixed size, so that a write in place is never seen by halves. */
const FILE_BYTES = 512;

/** Keeps a position where the death of the process does not take it along; a write costs microseconds. */
export class PositionFile implements Disposable {
  readonly #path: string;
  #fd: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  load(): Position | undefined {
    try {
      // Written by save().
      return JSON.parse(readFileSync(this.#path, 'utf8')) as Position;
    } catch {
      return undefined;
    }
  }

  /** Throws Node's file errors. */
  save(position: Position): void {
    this.#fd ??= openSync(this.#path, constants.O_WRONLY | constants.O_CREAT, 0o600);
    writeSync(this.#fd, `${JSON.stringify(position).padEnd(FILE_BYTES - 1)}\n`, 0);
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
