import { statfsSync } from 'node:fs';
import { messageOf, type Logger } from '#kernel';
import type { CacheStore } from './cache-store.ts';
import { gcRules, type GcSettings } from './gc-policy.ts';

export interface CacheCollectorOptions {
  readonly cache: Pick<CacheStore, 'prune'>;
  /** A folder on the disk that the cache is on. */
  readonly root: string;
  readonly logger: Logger;
  /** Asked anew each time. */
  readonly settings: () => GcSettings;
  /** Milliseconds after which the first look follows the start, and another one a build. */
  readonly delays?: { readonly start: number; readonly build: number };
}

const usualDelays = { start: 1_000, build: 60_000 };

/** Keeps the cache within its bounds (`builder.gc` of daemon.json): looks at it after builds, but not after each. */
export class CacheCollector implements AsyncDisposable {
  readonly #options: CacheCollectorOptions;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(options: CacheCollectorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#after((this.#options.delays ?? usualDelays).start);
  }

  /** A build is over. */
  soon(): void {
    this.#after((this.#options.delays ?? usualDelays).build);
  }

  #after(milliseconds: number): void {
    if (this.#timer || this.#closing.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#working = this.#collect();
    }, milliseconds);
    this.#timer.unref();
  }

  async #collect(): Promise<void> {
    const { cache, root, logger, settings } = this.#options;
    const { signal } = this.#closing;
    try {
      const { blocks, bsize } = statfsSync(root);
      for (const rules of gcRules(settings(), blocks * bsize)) {
        for (const { id, kind, description, bytes } of await cache.prune(rules, { signal })) {
          logger.info({ id, kind, description, bytes }, 'removed from the build cache: its rules say so');
        }
      }
    } catch (error) {
      if (!signal.aborted) logger.warn({ error: messageOf(error) }, 'looking after the build cache failed');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the daemon is stopping'));
    clearTimeout(this.#timer);
    await this.#working;
  }
}
