/** Things by their names, and those who wait for one that is still on its way. */
export class Arrivals<T> {
  readonly #here = new Map<string, T>();
  readonly #waiting = new Map<string, Set<(arrived: T) => void>>();

  has(name: string): boolean {
    return this.#here.has(name);
  }

  values(): Iterable<T> {
    return this.#here.values();
  }

  add(name: string, thing: T): void {
    this.#here.set(name, thing);
    for (const arrived of this.#waiting.get(name) ?? []) arrived(thing);
    this.#waiting.delete(name);
  }

  delete(name: string): void {
    this.#here.delete(name);
  }

  /** Throws `late()` when it does not come within `patience` milliseconds, or the signal's reason. */
  async get(name: string, signal: AbortSignal, patience: number, late: () => Error): Promise<T> {
    signal.throwIfAborted();
    const here = this.#here.get(name);
    if (here) return here;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiting = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, waiting.add(resolve));
    const timer = setTimeout(() => reject(late()), patience);
    const leave = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
      waiting.delete(resolve);
      if (waiting.size === 0 && this.#waiting.get(name) === waiting) this.#waiting.delete(name);
    }
  }
}
