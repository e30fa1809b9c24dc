import type { LogConfig } from '../runtime.ts';

export type StreamName = 'stdout' | 'stderr';

/** Where a container's output is kept: a port, which the program wires to the log writer. */
export interface LogSink {
  /** Keeps a chunk, whose memory is reused afterwards. A promise asks to pause the output until it resolves. */
  write(stream: StreamName, chunk: Buffer): Promise<void> | undefined;
  end(stream: StreamName): void;
  flush(): Promise<void>;
  /** Plain JSON with which another sink can go on in mid-line. */
  save(): unknown;
  close(): Promise<void>;
}

export type OpenLog = (config: LogConfig, state: unknown) => LogSink;

/** For execs, whose output is not logged. */
export const noLog: LogSink = {
  write: () => undefined,
  end: () => undefined,
  flush: () => Promise.resolve(),
  save: () => undefined,
  close: () => Promise.resolve(),
};
