import { LineReader } from '../line-reader.ts';
import { openLogFiles, openSuccessor, closeAll, type LogVersion } from '../log-files.ts';
import { parseRecord, rewindIfCut, type LogRecord } from '../log-reader.ts';
import type { Position } from './position.ts';

/** A record and where the next one begins. */
export interface PlacedRecord {
  readonly record: LogRecord;
  readonly file: string;
  readonly offset: number;
}

/** Reads a log that is still written, from a position kept by an earlier life on, across rotations. */
export class LogCursor implements AsyncDisposable {
  readonly #path: string;
  #start: Position | undefined;
  #version: LogVersion | undefined;
  #reader: LineReader | undefined;
  #cut = false;
  /** Records up to this time were delivered from a file that cannot be told from others any more. */
  #delivered: bigint | undefined;

  constructor(path: string, start: Position | undefined) {
    this.#path = path;
    this.#start = start;
  }

  /** The next records, at most some hundred KB; undefined at the end of what there is. */
  async next(): Promise<readonly PlacedRecord[] | undefined> {
    if (this.#cut) await this.#reset();
    for (;;) {
      if (!this.#reader) await this.#open();
      if (!this.#reader || !this.#version) return undefined;
      const read = await this.#read(this.#reader, this.#version.identity);
      if (read) return read;
      const successor = await openSuccessor(this.#path, this.#version.identity);
      if (!successor) {
        await rewindIfCut(this.#reader);
        return undefined;
      }
      // What came between the last read and the rotation.
      const rest = await this.#read(this.#reader, this.#version.identity);
      if (rest) {
        await successor.close();
        return rest;
      }
      await this.#turnTo(successor, 0);
    }
  }

  /** The log was cleared: what there is from now on is new. */
  cut(): void {
    this.#cut = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#version?.close();
    this.#version = undefined;
    this.#reader = undefined;
  }

  async #reset(): Promise<void> {
    this.#cut = false;
    this.#start = undefined;
    this.#delivered = undefined;
    await this[Symbol.asyncDispose]();
  }

  async #open(): Promise<void> {
    const versions = await openLogFiles(this.#path);
    const start = this.#start;
    const known = start && versions.find(({ identity }) => identity === start.file);
    const first = known ?? versions[0];
    await closeAll(versions.filter((version) => version !== first));
    if (!first) return;
    if (start && !known) this.#delivered = BigInt(start.time);
    this.#start = undefined;
    await this.#turnTo(first, known ? start.offset : 0);
    if (this.#reader) await rewindIfCut(this.#reader);
  }

  async #turnTo(version: LogVersion, position: number): Promise<void> {
    await this.#version?.close();
    this.#version = version;
    this.#reader = new LineReader(await version.content(), position);
  }

  async #read(reader: LineReader, file: string): Promise<readonly PlacedRecord[] | undefined> {
    for (;;) {
      let offset = reader.position;
      const lines = await reader.next();
      if (lines.length === 0) return undefined;
      const placed: PlacedRecord[] = [];
      for (const line of lines) {
        offset += line.length + 1;
        const record = parseRecord(line);
        if (record && this.#isNew(record)) placed.push({ record, file, offset });
      }
      if (placed.length > 0) return placed;
    }
  }

  #isNew({ time }: LogRecord): boolean {
    if (this.#delivered === undefined) return true;
    if (time <= this.#delivered) return false;
    this.#delivered = undefined;
    return true;
  }
}
