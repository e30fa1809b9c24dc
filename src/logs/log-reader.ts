import { parseTime } from '#kernel';
import { FileChanges } from './file-changes.ts';
import { closeAll, openLogFiles, openSuccessor, type LogVersion } from './log-files.ts';
import { LineReader, tailPosition } from './line-reader.ts';
import type { LogStream } from './record-encoder.ts';

const NEWLINE = 0x0a;
const isTime = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

export interface LogRecord {
  readonly stream: LogStream;
  /** Nanoseconds since the epoch. */
  readonly time: bigint;
  /** The line as written, with its newline unless it is partial. */
  readonly bytes: Buffer;
  /** Its line goes on in the stream's next record, or ended without a newline. */
  readonly partial: boolean;
  readonly attrs: Readonly<Record<string, string>> | undefined;
}

export interface ReadLogsOptions {
  /** File of the newest records; rotated ones are `.1`, `.2` … */
  readonly path: string;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Only the last so many records, of both streams together, before any other choice; undefined: all. */
  readonly tail?: number | undefined;
  /** Nanoseconds since the epoch, both inclusive. */
  readonly since?: bigint | undefined;
  readonly until?: bigint | undefined;
  /** Goes on with records to come, until `ended` settles, `until` has passed or the signal aborts. */
  readonly follow?: boolean;
  /** Nothing more will be written: the container has stopped. Without it a follower ends by its signal only. */
  readonly ended?: Promise<unknown> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The same, one by one. */
export async function* readLogs(options: ReadLogsOptions): AsyncGenerator<LogRecord, void, undefined> {
  for await (const batch of readLogBatches(options)) yield* batch;
}

/**
 * A container's log records in order, across rotated files, also while they are written and rotated. A line that was
 * cut off by its writer's death is left out. Ends quietly when aborted.
 */
export async function* readLogBatches(
  options: ReadLogsOptions,
): AsyncGenerator<readonly LogRecord[], void, undefined> {
  const files = await openLogFiles(options.path);
  let version: LogVersion | undefined;
  let reader: LineReader | undefined;
  const turnTo = async (next: LogVersion, position: number): Promise<LineReader> => {
    await version?.close();
    version = next;
    return new LineReader(await next.content(), position);
  };
  try {
    const skipped = await skipToTail(files, options.tail);
    for (let next = files.shift(); next; next = files.shift()) {
      reader = await turnTo(next, skipped.get(next) ?? 0);
      if (!(yield* records(reader, options))) return;
    }
    if (!options.follow) return;
    using changes = new FileChanges(options);
    while (!options.signal?.aborted) {
      // What was written before the end was known, or before a file was replaced, is read first.
      const over = changes.over;
      const next: LogVersion | undefined = await openSuccessor(options.path, version?.identity ?? '');
      if (next) files.push(next);
      if (reader && !(yield* records(reader, options))) return;
      if (next) {
        reader = await turnTo(next, 0);
        files.pop();
        changes.touch();
      } else if (over) {
        return;
      } else {
        if (reader) await rewindIfCut(reader);
        await changes.next();
      }
    }
  } finally {
    await closeAll(files);
    await version?.close();
  }
}

/** Yields what the file has now. False once records are later than wanted. */
async function* records(
  reader: LineReader,
  options: ReadLogsOptions,
): AsyncGenerator<readonly LogRecord[], boolean, undefined> {
  for (;;) {
    const lines = await reader.next();
    if (lines.length === 0) return true;
    if (options.signal?.aborted) return false;
    const batch: LogRecord[] = [];
    const over = choose(lines, options, batch);
    if (batch.length > 0) yield batch;
    if (over) return false;
  }
}

/** Adds the records that are wanted. True when one is later than any that is. */
function choose(lines: readonly Buffer[], options: ReadLogsOptions, batch: LogRecord[]): boolean {
  const { since, until, stdout, stderr } = options;
  for (const line of lines) {
    const record = parseRecord(line);
    if (!record) continue;
    if (until !== undefined && record.time > until) return true;
    if (since !== undefined && record.time < since) continue;
    if (record.stream === 'stdout' ? stdout : stderr) batch.push(record);
  }
  return false;
}

interface Fields {
  readonly log?: unknown;
  readonly stream?: unknown;
  readonly time?: unknown;
  readonly attrs?: Readonly<Record<string, string>>;
}

/** What most readers do not ask for is not worked out. */
class ParsedRecord implements LogRecord {
  readonly stream: LogStream;
  readonly attrs: Readonly<Record<string, string>> | undefined;
  readonly bytes: Buffer;
  readonly #time: string;

  constructor(log: string, time: string, { stream, attrs }: Fields) {
    this.stream = stream === 'stderr' ? 'stderr' : 'stdout';
    this.attrs = attrs;
    this.bytes = Buffer.from(log);
    this.#time = time;
  }

  get partial(): boolean {
    return this.bytes.at(-1) !== NEWLINE;
  }

  get time(): bigint {
    return parseTime(this.#time);
  }
}

/** One json-file line; undefined for rubbish, as a crash may leave. */
export function parseRecord(line: Buffer): LogRecord | undefined {
  try {
    const fields = JSON.parse(line.toString()) as Fields;
    const { log, time } = fields;
    if (typeof log !== 'string' || typeof time !== 'string' || !isTime.test(time)) return undefined;
    return new ParsedRecord(log, time, fields);
  } catch {
    return undefined;
  }
}

/** Start offsets by file so that `tail` records are left; files before them are taken out and closed. */
async function skipToTail(files: LogVersion[], tail: number | undefined): Promise<Map<LogVersion, number>> {
  const starts = new Map<LogVersion, number>();
  if (tail === undefined) return starts;
  let wanted = tail;
  let first = files.length;
  while (first > 0 && (wanted > 0 || first === files.length)) {
    first -= 1;
    const version = files[first];
    if (!version) break;
    const handle = await version.content();
    const { size } = await handle.stat();
    const { position, found } = await tailPosition(handle, size, wanted);
    starts.set(version, position);
    wanted -= found;
  }
  await closeAll(files.splice(0, first));
  return starts;
}

/** A log that was cleared begins anew in the same file. */
export async function rewindIfCut(reader: LineReader): Promise<void> {
  const { size } = await reader.handle.stat();
  if (size < reader.position) reader.position = 0;
}
