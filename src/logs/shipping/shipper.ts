import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, type Logger } from '#kernel';
import type { LogDriver, LogMessage } from '../drivers/driver.ts';
import type { Patience } from '../drivers/open-driver.ts';
import { FileChanges } from '../file-changes.ts';
import type { LogRecord } from '../log-reader.ts';
import type { LogStream } from '../record-encoder.ts';
import { LogCursor, type PlacedRecord } from './log-cursor.ts';
import { PositionFile, type PartialLine } from './position.ts';

export interface ShipperOptions {
  readonly containerId: string;
  /** The local log that the supervisor writes. */
  readonly path: string;
  /** Where the position is kept. */
  readonly positionPath: string;
  readonly logger: Logger;
}

/** Connects to where the records go. */
export interface Connect {
  (): Promise<LogDriver>;
  readonly patience: Patience;
}

const LAST_RETRY_MS = 10_000;

/**
 * Sends one container's records elsewhere, each once the one before is taken. What cannot be sent stays in the local
 * log and is tried again for as long as it is kept there; how far it came survives the death of the process.
 */
export class Shipper {
  /** Settles when everything was sent and no more is to come, or after close(). */
  readonly done: Promise<void>;
  /** Grows with everything sent. */
  progress = 0;
  readonly #options: ShipperOptions;
  readonly #abort = new AbortController();
  readonly #position: PositionFile;
  readonly #cursor: LogCursor;
  readonly #partials: Partial<Record<LogStream, PartialLine | undefined>>;
  #connect: Connect;
  #driver: LogDriver | undefined;
  #next: LogDriver | undefined;
  #writing: boolean;
  #changes: FileChanges | undefined;
  #failing = false;
  #over = false;

  /** `driver`: open already. `writing`: more records will come, until ended(). */
  constructor(
    options: ShipperOptions,
    connect: Connect,
    state: { readonly driver: LogDriver | undefined; readonly writing: boolean },
  ) {
    this.#options = options;
    this.#connect = connect;
    this.#driver = state.driver;
    this.#writing = state.writing;
    this.#position = new PositionFile(options.positionPath);
    const start = this.#position.load();
    this.#partials = { ...start?.partials };
    this.#cursor = new LogCursor(options.path, start);
    this.done = this.#run();
  }

  /** The container runs again, and its target was reached. False when this shipper has ended already. */
  again(connect: Connect, driver: LogDriver | undefined): boolean {
    if (this.#over) return false;
    this.#writing = true;
    this.#connect = connect;
    this.#next?.close();
    this.#next = driver;
    return true;
  }

  /** Nothing more will be written. */
  ended(): void {
    this.#writing = false;
    this.#changes?.touch();
  }

  /** The local log was emptied. */
  cleared(): void {
    this.#cursor.cut();
  }

  /** Gives up what has not been sent; a later shipper goes on with it. */
  async close(): Promise<void> {
    this.#abort.abort();
    this.#driver?.close();
    this.#changes?.touch();
    await this.done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    using changes = new FileChanges({ path: this.#options.path, signal });
    this.#changes = changes;
    try {
      while (!signal.aborted) {
        // What was written before the end was known is read first.
        const writing = this.#writing;
        const placed = await this.#cursor.next();
        if (placed) await this.#ship(placed);
        else if (!writing && !this.#writing) return;
        else await changes.next();
      }
    } catch (error) {
      this.#warn(error, 'records of a container are not sent any more');
    } finally {
      this.#over = true;
      this.#driver?.close();
      this.#next?.close();
      this.#position[Symbol.dispose]();
      await this.#cursor[Symbol.asyncDispose]();
    }
  }

  async #ship(placed: readonly PlacedRecord[]): Promise<void> {
    for (let start = 0; start < placed.length && !this.#abort.signal.aborted;) {
      const count = await this.#deliver(placed, start);
      const last = placed[start + count - 1];
      if (!last) return;
      this.#position.save({
        file: last.file,
        offset: last.offset,
        time: last.record.time.toString(),
        partials: this.#partials,
      });
      this.progress += count;
      start += count;
    }
  }

  /** Sends the next few, however long that takes; answers how many, 0 when closed meanwhile. */
  async #deliver(placed: readonly PlacedRecord[], start: number): Promise<number> {
    const { signal } = this.#abort;
    let messages: readonly LogMessage[] | undefined;
    const { pauseMs, retries } = this.#connect.patience;
    const longest = Math.max(pauseMs, LAST_RETRY_MS);
    let pause = pauseMs;
    for (let failures = 0; !signal.aborted; pause = Math.min(pause * 2, longest)) {
      try {
        const driver = await this.#connected();
        messages ??= placed.slice(start, start + driver.batch).map(({ record }) => this.#message(record));
        await driver.send(messages);
        this.#failing = false;
        return messages.length;
      } catch (error) {
        this.#driver?.close();
        this.#driver = undefined;
        if (!this.#failing)
          this.#warn(error, 'records of a container cannot be sent: they wait in its local log');
        this.#failing = true;
        failures += 1;
        if (failures > retries) {
          const lost = messages?.length ?? 1;
          this.#warn(error, `${lost} records of a container are left out after ${retries} retries`);
          return lost;
        }
        await delay(pause, undefined, { signal }).catch(() => undefined);
      }
    }
    return 0;
  }

  async #connected(): Promise<LogDriver> {
    if (this.#next) {
      this.#driver?.close();
      this.#driver = this.#next;
      this.#next = undefined;
    }
    this.#driver ??= await this.#connect();
    return this.#driver;
  }

  /** Pieces of one line bear one time. */
  #message({ stream, time, bytes, partial }: LogRecord): LogMessage {
    const known = this.#partials[stream];
    const before = known?.time === time.toString() ? known : undefined;
    if (!partial && !before) {
      if (known) this.#forget(stream);
      return { stream, time, line: bytes.subarray(0, -1) };
    }
    const id = before?.id ?? randomBytes(32).toString('hex');
    const ordinal = (before?.ordinal ?? 0) + 1;
    if (partial) this.#partials[stream] = { id, ordinal, time: time.toString() };
    else this.#forget(stream);
    const line = partial ? bytes : bytes.subarray(0, -1);
    return { stream, time, line, partial: { id, ordinal, last: !partial } };
  }

  #forget(stream: LogStream): void {
    this.#partials[stream] = undefined;
  }

  #warn(error: unknown, phrase: string): void {
    const { containerId, logger } = this.#options;
    logger.warn({ container: containerId, error: messageOf(error) }, phrase);
  }
}
