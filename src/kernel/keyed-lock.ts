/**
 * Mutual exclusion by key, first come first served. Locks of several nouns are taken in the order
 * containers → networks → volumes → images → snapshots → content, so that no cycle can form.
 */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>();

  /** Number of keys that are held or waited for; 0 when nothing leaks. */
  get size(): number {
    return this.#tails.size;
  }

  /** Waits for the key. Dispose the result to release it. Rejects with the signal's reason if aborted while waiting. */
  async acquire(key: string, options: { signal?: AbortSignal } = {}): Promise<AsyncDisposable & Disposable> {
    options.signal?.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const before = this.#tails.get(key);
    const tail = before ? before.then(() => promise) : promise;
    this.#tails.set(key, tail);
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    if (before) {
      try {
        await abortable(before, options.signal);
      } catch (error) {
        resolve(undefined);
        throw error;
      }
    }
    const release = (): void => {
      resolve(undefined);
    };
    return {
      [Symbol.dispose]: release,
      [Symbol.asyncDispose]: async () => {
        release();
        await Promise.resolve();
      },
    };
  }
}

/** The promise's outcome, or a rejection with the signal's reason, whichever comes first. */
export async function abortable<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promise;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => {
    // An abort reason may be any value; what was thrown is what the caller sees.
    aborted.reject(signal.reason as Error);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
