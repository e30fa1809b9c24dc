import type { ContentStore } from '#content';
import { invalidArgument, isKind, Limiter, messageOf, SingleFlight, type Logger } from '#kernel';
import type { Descriptor, Digest } from '#oci';
import type { Repository } from '#registry/client';
import type { Claims } from './claims.ts';
import { CutShort, isInterruption } from './interruption.ts';

/** What happens to a blob on its way in; `progress` counts bytes. */
export interface DownloadWatcher {
  /** Its turn has not come yet. */
  waiting?(): void;
  progress(current: number): void;
  verifying(): void;
  /** Trouble on the way; another attempt begins after so many seconds. */
  retrying?(seconds: number): void;
}

/** Where blobs come from: a repository of a registry, or another host. */
export type BlobSource = Pick<Repository, 'fetchBlob'>;

export interface BlobDownloadsOptions {
  readonly content: ContentStore;
  readonly claims: Claims;
  readonly logger: Logger;
  /** How many blobs are fetched at once, over all pulls. */
  readonly concurrency: number | (() => number);
  /** How often each blob is tried for; default 5. */
  readonly attempts?: () => number;
  /** Milliseconds before the nth repetition (from 1). */
  retryDelay?(attempt: number): number;
}

const usualAttempts = 5;

/**
 * Brings blobs from registries into the content store. A blob that several pulls want is fetched once; what has
 * arrived when a download ends early is kept, and the next one continues there.
 */
export class BlobDownloads {
  readonly #options: BlobDownloadsOptions;
  readonly #limiter: Limiter;
  readonly #flights = new SingleFlight<undefined>();
  readonly #watchers = new Map<Digest, Set<DownloadWatcher>>();

  constructor(options: BlobDownloadsOptions) {
    this.#options = options;
    this.#limiter = new Limiter(options.concurrency);
  }

  /** The caller's claim holds the digest already. Verified when it resolves. */
  async fetch(
    repository: BlobSource,
    descriptor: Descriptor,
    options: { signal: AbortSignal; watcher?: DownloadWatcher },
  ): Promise<void> {
    const { digest } = descriptor;
    const { watcher, signal } = options;
    const watchers = this.#watchers.get(digest) ?? new Set();
    this.#watchers.set(digest, watchers);
    if (watcher) watchers.add(watcher);
    try {
      await this.#flights.run(digest, (each) => this.#fetchOnce(repository, descriptor, each), signal);
    } finally {
      if (watcher) watchers.delete(watcher);
      if (watchers.size === 0) this.#watchers.delete(digest);
    }
  }

  async #fetchOnce(repository: BlobSource, descriptor: Descriptor, signal: AbortSignal): Promise<undefined> {
    const { content, claims } = this.#options;
    let direct = false;
    await using claim = claims.open();
    await claim.blob(descriptor.digest);
    if (this.#limiter.isFull) this.#tell(descriptor.digest, (each) => each.waiting?.());
    await this.#limiter.run(async () => {
      if (await content.find(descriptor.digest)) return;
      for (let attempt = 1; ; attempt += 1) {
        signal.throwIfAborted();
        try {
          await this.#receive(repository, descriptor, { signal, direct });
          return;
        } catch (error) {
          // A mirror may have sent other bytes than the registry would.
          if (!direct && isKind(error, 'invalidArgument')) {
            direct = true;
            continue;
          }
          if (
            attempt >= (this.#options.attempts?.() ?? usualAttempts) ||
            signal.aborted ||
            !isInterruption(error)
          )
            throw error;
          await this.#waitToRetry(descriptor.digest, attempt, error, signal);
        }
      }
    });
    return undefined;
  }

  async #waitToRetry(digest: Digest, attempt: number, error: unknown, signal: AbortSignal): Promise<void> {
    const delay = this.#options.retryDelay?.(attempt) ?? attempt * 2000;
    this.#options.logger.info({ digest, attempt, error: messageOf(error) }, 'download interrupted');
    this.#tell(digest, (each) => each.retrying?.(Math.ceil(delay / 1000)));
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(done, delay);
      signal.addEventListener('abort', done, { once: true });
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        if (signal.aborted) reject(signal.reason as Error);
        else resolve();
      }
    });
  }

  async #receive(
    repository: BlobSource,
    descriptor: Descriptor,
    { signal, direct }: { signal: AbortSignal; direct: boolean },
  ): Promise<void> {
    const { digest, size } = descriptor;
    await using ingest = await this.#options.content.ingest({ expected: { digest, size }, key: digest });
    let received = ingest.offset;
    if (received < size) {
      const stream = await repository.fetchBlob(descriptor, { signal, offset: received, direct });
      try {
        for await (const chunk of stream as AsyncIterable<Uint8Array>) {
          received += chunk.length;
          if (received > size) throw tooLong(descriptor);
          await ingest.write(chunk);
          this.#tell(digest, (each) => each.progress(received));
        }
      } finally {
        stream.destroy();
      }
    }
    signal.throwIfAborted();
    if (received < size) throw new CutShort(`the registry sent ${received} of ${size} bytes of ${digest}`);
    this.#tell(digest, (each) => each.verifying());
    await ingest.commit();
  }

  #tell(digest: Digest, tell: (watcher: DownloadWatcher) => void): void {
    for (const watcher of this.#watchers.get(digest) ?? []) tell(watcher);
  }
}

const tooLong = ({ digest, size }: Descriptor): Error =>
  invalidArgument(`the registry sent more than the ${size} bytes that ${digest} has`);
