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

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.isFull) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#active += 1;
    }
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#active -= 1;
    }
  }
}
