/** Bounds how many tasks run at once; the others wait in order. A bound given as a function is asked for each task. */
export class Limiter {
  readonly #limit: number | (() => number);
  #active = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number | (() => number)) {
    this.#limit = limit;
  }

  /** Whether a task would have to wait now. */
  get isFull(): boolean {
    const limit = typeof this.#limit === 'number' ? this.#limit : this.#limit();
    return this.#active >= limit;
  }

  /** Rejects with the signal's reason when it aborts while the task waits. */
  async run<T>(task: () => Promise<T>, { signal }: { readonly signal?: AbortSignal } = {}): Promise<T> {
    signal?.throwIfAborted();
    if (this.isFull) await this.#turn(signal);
    else this.#active += 1;
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#active -= 1;
    }
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const turn = (): void => resolve(undefined);
    const leave = (): void => {
      const at = this.#waiting.indexOf(turn);
      if (at === -1) return;
      this.#waiting.splice(at, 1);
      reject(signal?.reason as Error);
    };
    this.#waiting.push(turn);
    signal?.addEventListener('abort', leave, { once: true });
    await promise.finally(() => signal?.removeEventListener('abort', leave));
  }
}
