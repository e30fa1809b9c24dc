import type { Readable } from 'node:stream';
import type { FileStat } from '#filesync';
import type { Descriptor } from '#oci';
import type { ExportResponse } from './exporter.ts';

/** A file on its way to a client; only regular ones have contents. */
export interface SentFile {
  readonly stat: FileStat;
  open?(): AsyncIterable<Uint8Array>;
}

/** Where a client takes in one of its outputs. */
export interface OutputSink {
  /** Sends a tree: folders before their contents, names in order. `onProgress` is told the bytes so far. */
  files(
    files: readonly SentFile[],
    options: { readonly signal: AbortSignal; readonly onProgress: (bytes: number) => void },
  ): Promise<void>;
  /** Puts a blob into the client's folder of them, unless it is there. `open`: its bytes from an offset on. */
  blob(
    descriptor: Descriptor,
    open: (offset: number) => Promise<Readable>,
    options: { readonly signal: AbortSignal },
  ): Promise<void>;
  /** Sends one file. `about`: what the client is told of it. It may say that it has the file already. */
  bytes(
    chunks: AsyncIterable<Uint8Array>,
    options: { readonly about: ExportResponse; readonly signal: AbortSignal },
  ): Promise<void>;
}
