import type { WaitCondition } from './containers.ts';

export interface WaitResult {
  readonly statusCode: number;
  readonly error?: string;
}

interface Waiter {
  readonly condition: WaitCondition;
  readonly resolve: (result: WaitResult) => void;
}

/** Who waits for which container to end or to go. */
export class Waiters {
  readonly #waiting = new Map<string, Set<Waiter>>();

  /** Number of waits that are open; 0 when nothing leaks. */
  get size(): number {
    return [...this.#waiting.values()].reduce((sum, waiters) => sum + waiters.size, 0);
  }

  /** Armed when it returns. Rejects with the signal's reason on abort. */
  add(id: string, condition: WaitCondition, signal: AbortSignal): Promise<WaitResult> {
    return new Promise((resolve, reject) => {
      const waiters = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, waiters);
      const drop = (): void => {
        waiters.delete(waiter);
        if (waiters.size === 0 && this.#waiting.get(id) === waiters) this.#waiting.delete(id);
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        drop();
        // Whatever the aborter gave as its reason.
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        condition,
        resolve: (result) => {
          drop();
          resolve(result);
        },
      };
      waiters.add(waiter);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** The container has exited. */
  exited(id: string, result: WaitResult): void {
    this.#settle(id, result, (condition) => condition !== 'removed');
  }

  /** The container is gone: nobody has anything left to wait for. */
  removed(id: string, result: WaitResult): void {
    this.#settle(id, result, () => true);
  }

  #settle(id: string, result: WaitResult, holds: (condition: WaitCondition) => boolean): void {
    for (const waiter of [...(this.#waiting.get(id) ?? [])]) {
      if (holds(waiter.condition)) waiter.resolve(result);
    }
  }
}
