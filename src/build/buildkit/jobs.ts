import { invalidArgument } from '#kernel';
import type { BuildJob } from './build-job.ts';

/** Milliseconds that calls wait for the build that they belong to: they may come before its own. */
const patience = 10_000;

/** Milliseconds for which an ended build is known: a client may ask for its progress only now. */
const afterlife = 30_000;

/** Builds under way, and those that have just ended, by the references that clients give them. */
export class Jobs<Job extends { readonly ref: string } = BuildJob> {
  readonly #live = new Map<string, Job>();
  readonly #waiting = new Map<string, Set<(job: Job) => void>>();

  add(job: Job): Disposable {
    if (this.#live.has(job.ref)) throw invalidArgument(`job ID ${job.ref} exists`);
    this.#live.set(job.ref, job);
    for (const found of this.#waiting.get(job.ref) ?? []) found(job);
    this.#waiting.delete(job.ref);
    return {
      [Symbol.dispose]: () => {
        setTimeout(() => this.#live.delete(job.ref), afterlife).unref();
      },
    };
  }

  async get(ref: string, signal: AbortSignal): Promise<Job> {
    const live = this.#live.get(ref);
    if (live) return live;
    const { promise, resolve, reject } = Promise.withResolvers<Job>();
    const waiting = this.#waiting.get(ref) ?? new Set();
    this.#waiting.set(ref, waiting.add(resolve));
    const timer = setTimeout(() => reject(invalidArgument(`no such job ${ref}`)), patience);
    const leave = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
      waiting.delete(resolve);
      if (waiting.size === 0 && this.#waiting.get(ref) === waiting) this.#waiting.delete(ref);
    }
  }
}
