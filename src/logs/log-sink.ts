import { systemClock, type Clock } from '#kernel';
import { LogFile } from './log-file.ts';
import { RecordEncoder, type EncoderState, type LogStream } from './record-encoder.ts';

export interface LogSinkConfig {
  readonly driver: 'json-file' | 'none';
  readonly path: string;
  /** Bytes; undefined: never rotated. */
  readonly maxSize: number | undefined;
  /** Files kept, the newest included. */
  readonly maxFiles: number;
  readonly attrs?: Readonly<Record<string, string>>;
  /** Rotated files are compressed. */
  readonly compress?: boolean | undefined;
  /** `mode=non-blocking`: with more bytes than this waiting for the disk, records are dropped, and output goes on. */
  readonly maxBuffer?: number;
}

/** Unfinished lines, for a sink that goes on where another stopped. */
export type LogSinkState = Readonly<Record<LogStream, EncoderState>>;

/** Where a container's output is kept. */
export interface LogSink {
  /** Keeps a chunk (its memory may be reused afterwards). A promise asks to pause the output until it resolves. */
  write(stream: LogStream, chunk: Buffer): Promise<void> | undefined;
  /** The stream has ended: an unfinished line is written. */
  end(stream: LogStream): void;
  flush(): Promise<void>;
  save(): LogSinkState | undefined;
  close(): Promise<void>;
}

const MAX_QUEUED_BYTES = 1024 * 1024;

const discard: LogSink = {
  write: () => undefined,
  end: () => undefined,
  flush: () => Promise.resolve(),
  save: () => undefined,
  close: () => Promise.resolve(),
};

export interface LogSinkOptions {
  readonly state?: LogSinkState;
  readonly clock?: Clock;
  /** Told of the first failed write (a full disk); records are lost until writing works again. */
  readonly onError?: (error: unknown) => void;
}

/** Opens the sink of a container's log. Throws Node's file errors. */
export function openLogSink(config: LogSinkConfig, options: LogSinkOptions = {}): LogSink {
  if (config.driver === 'none') return discard;
  const clock = options.clock ?? systemClock;
  let failed = false;
  const file = new LogFile(config, (error) => {
    if (!failed) options.onError?.(error);
    failed = true;
  });
  const encoders = {
    stdout: new RecordEncoder('stdout', clock, config.attrs),
    stderr: new RecordEncoder('stderr', clock, config.attrs),
  };
  if (options.state) {
    encoders.stdout.restore(options.state.stdout);
    encoders.stderr.restore(options.state.stderr);
  }
  return {
    write(stream, chunk) {
      const records = encoders[stream].encode(chunk);
      const { maxBuffer } = config;
      if (maxBuffer !== undefined) {
        if (file.queuedBytes + records.length <= Math.max(maxBuffer, records.length)) file.append(records);
        return undefined;
      }
      file.append(records);
      return file.queuedBytes > MAX_QUEUED_BYTES ? file.flush() : undefined;
    },
    end: (stream) => file.append(encoders[stream].end()),
    flush: () => file.flush(),
    save: () => ({ stdout: encoders.stdout.save(), stderr: encoders.stderr.save() }),
    close: () => file.close(),
  };
}
