import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { internal } from '#kernel';
import type {
  AppliedLayer,
  ApplyLayerOptions,
  Archiver,
  ArchiveSource,
  ArchiveStream,
  Change,
  LayerFolders,
  ListedEntry,
  PackedArchive,
  PlacedEntry,
  PackOptions,
  TreeUsage,
  UnpackedArchive,
  UnpackOptions,
} from './archiver.ts';
import { detectCompression, magicLength, peek, programFolders } from './compression.ts';
import { WorkerPool } from './worker-pool.ts';
import type { Job, JobInput } from './worker/jobs.ts';

export interface ArchiverOptions {
  /** The worker's program; by default the file beside this one, as source or as the bundle has it. */
  readonly workerUrl?: URL;
  /** Where igzip, bzip2 and xz are looked for; /usr/bin and its like by default. */
  readonly programFolders?: readonly string[];
  /** Jobs that run at once, 16 by default: most wait for a peer or for the disk. */
  readonly maximum?: number;
  /** How long a thread is kept for the next job, in milliseconds; 10 s by default. */
  readonly idleMilliseconds?: number;
}

const defaultWorkerUrl = (): URL =>
  new URL(import.meta.url.endsWith('.js') ? './archive-worker.js' : './archive-worker.ts', import.meta.url);

type Input<J extends { input: JobInput }> = Omit<J, 'input'>;
type ReadingJob = Extract<Job, { input: JobInput }>;
type WritingKind = 'pack' | 'diff' | 'clamp';

/** An archiver whose work is done in worker threads of this process. */
export function createArchiver(options: ArchiverOptions = {}): Archiver {
  return new ThreadArchiver(
    new WorkerPool({
      url: options.workerUrl ?? defaultWorkerUrl(),
      programFolders: options.programFolders ?? programFolders,
      maximum: options.maximum ?? 16,
      idle: { workers: 2, milliseconds: options.idleMilliseconds ?? 10_000 },
    }),
  );
}

class ThreadArchiver implements Archiver {
  readonly #pool: WorkerPool;

  constructor(pool: WorkerPool) {
    this.#pool = pool;
  }

  async applyLayer(source: ArchiveSource, options: ApplyLayerOptions): Promise<AppliedLayer> {
    const { mounts, limits = {}, wantDigest = false, signal } = options;
    return this.#read<'apply'>(source, { kind: 'apply', mounts: plain(mounts), limits, wantDigest }, signal);
  }

  async unpack(source: ArchiveSource, options: UnpackOptions): Promise<UnpackedArchive> {
    const { root, path = '/', keepKinds = false, owner, limits = {}, signal } = options;
    const job = { kind: 'unpack', root, path, keepKinds, limits, ...(owner && { owner }) } as const;
    return this.#read<'unpack'>(source, job, signal);
  }

  diffLayer(options: {
    mounts: LayerFolders;
    compression?: 'none' | 'gzip';
    signal: AbortSignal;
  }): ArchiveStream {
    const { mounts, compression = 'none', signal } = options;
    return this.#write({ kind: 'diff', mounts: plain(mounts), compression }, signal);
  }

  pack({ root, path = '/', name, mtime, signal }: PackOptions): ArchiveStream {
    return this.#write({ kind: 'pack', root, path, name, mtime }, signal);
  }

  clampTimes(
    { path }: { path: string },
    { latest, signal }: { latest: bigint; signal: AbortSignal },
  ): ArchiveStream {
    return this.#write({ kind: 'clamp', input: { path }, latest }, signal);
  }

  async changes({
    mounts,
    signal,
  }: {
    mounts: LayerFolders;
    signal: AbortSignal;
  }): Promise<readonly Change[]> {
    return this.#pool.run<'changes'>({ kind: 'changes', mounts: plain(mounts) }, { signal });
  }

  async copyTree(options: {
    root: string;
    path?: string;
    target: string;
    signal: AbortSignal;
  }): Promise<void> {
    const { root, path = '/', target, signal } = options;
    await this.#pool.run<'copy'>({ kind: 'copy', root, path, target }, { signal });
  }

  async listTree(options: {
    root: string;
    path?: string;
    digests?: boolean;
    depth?: number;
    signal: AbortSignal;
  }): Promise<readonly ListedEntry[]> {
    const { root, path = '/', digests = false, depth = Infinity, signal } = options;
    return this.#pool.run<'list'>({ kind: 'list', root, path, digests, depth }, { signal });
  }

  async placeEntries(options: {
    root: string;
    entries: readonly PlacedEntry[];
    signal: AbortSignal;
  }): Promise<void> {
    const { root, entries, signal } = options;
    await this.#pool.run<'place'>({ kind: 'place', root, entries }, { signal });
  }

  async usage(path: string, { signal }: { signal: AbortSignal }): Promise<TreeUsage> {
    return this.#pool.run<'usage'>({ kind: 'usage', path }, { signal });
  }

  async removeTree(path: string, { signal }: { signal: AbortSignal }): Promise<void> {
    await this.#pool.run<'remove'>({ kind: 'remove', path }, { signal });
  }

  async sync(path: string, { signal }: { signal: AbortSignal }): Promise<void> {
    await this.#pool.run<'sync'>({ kind: 'sync', path }, { signal });
  }

  async digest(
    path: string,
    { algorithm, signal }: { algorithm: string; signal: AbortSignal },
  ): Promise<string> {
    return this.#pool.run<'digest'>({ kind: 'digest', path, algorithm }, { signal });
  }

  async compareTrees(
    path: string,
    { model, signal }: { model: string; signal: AbortSignal },
  ): Promise<readonly string[]> {
    return this.#pool.run<'compare'>({ kind: 'compare', path, model }, { signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  /** Runs a job that reads an archive; a stream is pumped into the worker's pipe meanwhile. */
  async #read<K extends 'apply' | 'unpack'>(
    source: ArchiveSource,
    rest: Input<Extract<ReadingJob, { kind: K }>>,
    signal: AbortSignal,
  ) {
    // Adding the input back makes the job whole again; the compiler does not see through Omit of a generic.
    const withInput = (input: JobInput) => ({ ...rest, input }) as unknown as Extract<Job, { kind: K }>;
    if ('path' in source) return this.#pool.run<K>(withInput({ path: source.path }), { signal });
    const { head, whole } = await peek(source.stream, magicLength);
    let sourceError: unknown;
    async function* watched(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        yield* whole;
      } catch (error) {
        sourceError = error;
        throw error;
      }
    }
    const over = new AbortController();
    const onPipe = (fd: number): void => {
      const pipe = new Socket({ fd, readable: false, writable: true });
      // Errors of the pipe only tell that the worker has had enough, for a reason that it gives.
      pipeline(watched(), pipe, { signal: AbortSignal.any([over.signal, signal]) }).catch(() => undefined);
    };
    try {
      return await this.#pool.run<K>(withInput({ compression: detectCompression(head) }), { signal, onPipe });
    } catch (error) {
      // If the source failed, the worker only saw an early end.
      throw sourceError ?? error;
    } finally {
      // A source that stalls is not waited for.
      over.abort();
    }
  }

  /** Runs a job that writes an archive; the stream ends well only if the job did. */
  #write(job: Extract<Job, { kind: WritingKind }>, signal: AbortSignal): ArchiveStream {
    const closed = new AbortController();
    const stop = AbortSignal.any([signal, closed.signal]);
    const opened = Promise.withResolvers<Socket>();
    opened.promise.catch(() => undefined);
    const onPipe = (fd: number): void => {
      const socket = new Socket({ fd, readable: true, writable: false });
      // Closing our end also frees a worker that waits for a reader who has stalled.
      const destroy = (): void => void socket.destroy();
      stop.addEventListener('abort', destroy, { once: true });
      socket.once('close', () => stop.removeEventListener('abort', destroy));
      if (stop.aborted) destroy();
      opened.resolve(socket);
    };
    const running = this.#pool.run<WritingKind>(job, { signal: stop, onPipe });
    running.then(
      () => opened.reject(internal('an archive worker opened no pipe')),
      (error: unknown) => opened.reject(error),
    );
    async function* bytes(): AsyncGenerator<Buffer, void, undefined> {
      const socket = await opened.promise;
      try {
        for await (const chunk of socket as AsyncIterable<Buffer>) yield chunk;
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      } finally {
        socket.destroy();
      }
      await running;
    }
    const stream = Readable.from(bytes(), { objectMode: false, highWaterMark: 1 << 18 });
    const done: Promise<PackedArchive> = running;
    stream.once('close', () => closed.abort());
    done.catch(() => undefined);
    return { stream, done };
  }
}

/** Only the fields a worker needs: snapshots may carry more. */
const plain = ({ lower, upper, base }: LayerFolders): LayerFolders => ({
  lower,
  ...(upper === undefined ? {} : { upper }),
  ...(base === undefined ? {} : { base }),
});
