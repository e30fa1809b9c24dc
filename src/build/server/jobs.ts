import { invalidArgument } from '#kernel';
import { Arrivals } from './arrivals.ts';
import type { BuildJob } from './build-job.ts';

/** Milliseconds that calls wait for the build that they belong to: they may come before its own. */
const patience = 10_000;

/** Milliseconds for which an ended build is known: a client may ask for its progress only now. */
const afterlife = 30_000;

/** Builds under way, and those that have just ended, by the references that clients give them. */
export class Jobs<Job extends { readonly ref: string } = BuildJob> {
  readonly #known = new Arrivals<Job>();

  add(job: Job): Disposable {
    if (this.#known.has(job.ref)) throw invalidArgument(`job ID ${job.ref} exists`);
    this.#known.add(job.ref, job);
    return {
      [Symbol.dispose]: () => {
        setTimeout(() => this.#known.delete(job.ref), afterlife).unref();
      },
    };
  }

  has(ref: string): boolean {
    return this.#known.has(ref);
  }

  async get(ref: string, signal: AbortSignal): Promise<Job> {
    return this.#known.get(ref, signal, patience, () => invalidArgument(`no such job ${ref}`));
  }
}
