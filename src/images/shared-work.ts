import { SingleFlight } from '#kernel';

/**
 * One run of a task per key, shared by all who ask while it lasts. The last caller to give up waits until the task,
 * then aborted, has put its things away; who comes meanwhile gets a run of their own.
 */
export class SharedWork<T> {
  readonly #flights = new SingleFlight<T>();
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #callers = new Map<string, number>();

  async run(key: string, task: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    while (!this.#callers.has(key) && this.#running.has(key)) await this.#running.get(key);
    this.#callers.set(key, (this.#callers.get(key) ?? 0) + 1);
    try {
      return await this.#flights.run(key, (each) => this.#start(key, task(each)), signal);
    } finally {
      await this.#leave(key);
    }
  }

  #start(key: string, running: Promise<T>): Promise<T> {
    const settled = running
      .catch(() => undefined)
      .then(() => {
        this.#running.delete(key);
      });
    this.#running.set(key, settled);
    return running;
  }

  async #leave(key: string): Promise<void> {
    const left = (this.#callers.get(key) ?? 1) - 1;
    if (left > 0) {
      this.#callers.set(key, left);
      return;
    }
    this.#callers.delete(key);
    await this.#running.get(key);
  }
}
