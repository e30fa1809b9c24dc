import { Transform, type Readable } from 'node:stream';
import { Limiter, SingleFlight } from '#kernel';
import { parseReference, type Descriptor } from '#oci';
import type { Repository } from '#registry/client';

/** How a repository came to have a blob. */
export type UploadOutcome = 'present' | 'pushed' | { readonly mountedFrom: string };

export interface BlobUpload {
  readonly descriptor: Descriptor;
  /** Repositories, canonical, that may have it: those of the same registry are mounted from. */
  readonly sources: readonly string[];
  /** The bytes from an offset on. */
  open(offset: number, signal: AbortSignal): Promise<Readable>;
  /** Its turn has not come yet. */
  waiting?(): void;
  /** Bytes sent so far. */
  progress(current: number): void;
}

/** Sends blobs to registries, so many at once over all pushes; what several pushes want in one place goes once. */
export class BlobUploads {
  readonly #limiter: Limiter;
  readonly #flights = new SingleFlight<UploadOutcome>();
  readonly #watchers = new Map<string, Set<BlobUpload>>();

  constructor(concurrency: number | (() => number)) {
    this.#limiter = new Limiter(concurrency);
  }

  async push(repository: Repository, upload: BlobUpload, signal: AbortSignal): Promise<UploadOutcome> {
    const key = `${repository.name} ${upload.descriptor.digest}`;
    const watchers = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, watchers);
    watchers.add(upload);
    try {
      const send = (shared: AbortSignal): Promise<UploadOutcome> => {
        if (this.#limiter.isFull) upload.waiting?.();
        return this.#limiter.run(() => this.#send(repository, upload, watchers, shared));
      };
      return await this.#flights.run(key, send, signal);
    } finally {
      watchers.delete(upload);
      if (watchers.size === 0) this.#watchers.delete(key);
    }
  }

  async #send(
    repository: Repository,
    upload: BlobUpload,
    watchers: ReadonlySet<BlobUpload>,
    signal: AbortSignal,
  ): Promise<UploadOutcome> {
    signal.throwIfAborted();
    const { descriptor, sources } = upload;
    const { digest } = descriptor;
    if (await repository.hasBlob(digest, { signal })) return 'present';
    const { domain } = parseReference(repository.name);
    for (const source of sources) {
      const { domain: other, path } = parseReference(source);
      if (source === repository.name || other !== domain) continue;
      if (await repository.mountBlob(digest, source, { signal })) return { mountedFrom: path };
    }
    const tell = (current: number): void => {
      for (const watcher of watchers) watcher.progress(current);
    };
    const openCounted = async (offset: number): Promise<Readable> =>
      counted(await upload.open(offset, signal), offset, tell);
    await repository.pushBlob(descriptor, openCounted, { signal });
    return 'pushed';
  }
}

/** The stream as it is, with the position told at each chunk. */
function counted(source: Readable, offset: number, tell: (current: number) => void): Readable {
  let current = offset;
  const counter = new Transform({
    transform: (chunk: Buffer, _encoding, next) => {
      current += chunk.length;
      tell(current);
      next(null, chunk);
    },
  });
  source.once('error', (error) => counter.destroy(error));
  counter.once('close', () => source.destroy());
  return source.pipe(counter);
}
