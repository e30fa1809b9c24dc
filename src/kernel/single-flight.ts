import { abortable } from './keyed-lock.ts';

interface Flight<T> {
  readonly promise: Promise<T>;
  readonly abort: AbortController;
  waiters: number;
}

/** Runs one task per key at a time; callers with the same key share it. It is aborted once every caller has gone. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  async run(key: string, task: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    let flight = this.#flights.get(key);
    if (!flight) {
      const abort = new AbortController();
      const promise = task(abort.signal).finally(() => this.#flights.delete(key));
      flight = { promise, abort, waiters: 0 };
      this.#flights.set(key, flight);
    }
    flight.waiters += 1;
    try {
      return await abortable(flight.promise, signal);
    } finally {
      flight.waiters -= 1;
      if (flight.waiters === 0) flight.abort.abort(new Error('every caller has gone'));
    }
  }
}
