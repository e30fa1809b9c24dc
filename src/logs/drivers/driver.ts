import type { LogStream } from '../record-encoder.ts';

/** One record on its way elsewhere. */
export interface LogMessage {
  readonly stream: LogStream;
  /** Nanoseconds since the epoch. */
  readonly time: bigint;
  /** Without its newline. */
  readonly line: Buffer;
  /** Set for every piece of a line that is longer than a record, counted from 1. */
  readonly partial?: { readonly id: string; readonly ordinal: number; readonly last: boolean };
}

/** A connection to where records go. */
export interface LogDriver {
  /** Messages that may be sent together: what an interruption may repeat. */
  readonly batch: number;
  /**
   * Sends in order; resolves when the target has acknowledged them or, where the protocol knows no answer, the kernel
   * has taken them. Rejects when the connection is lost, after which the driver is of no more use.
   */
  send(messages: readonly LogMessage[]): Promise<void>;
  close(): void;
}

export interface DriverEvents {
  /** A message that no target would take was left out. */
  dropped(reason: string): void;
}
