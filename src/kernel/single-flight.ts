import { abortable } from './keyed-lock.ts';

interface Flight<T> {
  readonly promise: Promise<T>;
  /** Resolves once the task has ended, well or not. */
  readonly landed: Promise<void>;
  readonly abort: AbortController;
  waiters: number;
}

/**
 * Runs one task per key at a time; callers with the same key share it. Once every caller has gone it is aborted: the
 * last one waits until the task has put its things away, and who comes meanwhile gets a run of their own afterwards.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  async run(key: string, task: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const flight = await this.#board(key, task, signal);
    try {
      return await abortable(flight.promise, signal);
    } finally {
      flight.waiters -= 1;
      if (flight.waiters === 0) {
        flight.abort.abort(new Error('every caller has gone'));
        await flight.landed;
      }
    }
  }

  async #board(
    key: string,
    task: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<Flight<T>> {
    for (;;) {
      signal?.throwIfAborted();
      const flight = this.#flights.get(key) ?? this.#depart(key, task);
      if (!flight.abort.signal.aborted) {
        flight.waiters += 1;
        return flight;
      }
      await abortable(flight.landed, signal);
    }
  }

  #depart(key: string, task: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const abort = new AbortController();
    const promise = (async () => await task(abort.signal))();
    const land = (): void => {
      this.#flights.delete(key);
    };
    const flight: Flight<T> = { promise, landed: promise.then(land, land), abort, waiters: 0 };
    this.#flights.set(key, flight);
    return flight;
  }
}
