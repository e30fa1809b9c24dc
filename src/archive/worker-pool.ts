import { Worker } from 'node:worker_threads';
import { EngineError, internal, unavailable, type ErrorKind } from '#kernel';
import type { Job, JobFailure, JobMessage, JobResults, WorkerMessage } from './worker/jobs.ts';

export interface PoolOptions {
  readonly url: URL;
  /** Where workers look for programs that decompress. */
  readonly programFolders: readonly string[];
  /** Jobs that run at once; more wait in order. */
  readonly maximum: number;
  /** Workers kept for the next job, and for how long, in milliseconds. */
  readonly idle: { readonly workers: number; readonly milliseconds: number };
}

/** The worker's errors as the main thread throws them. */
function revive({ kind, message, code }: JobFailure): Error {
  const error = kind === undefined ? new Error(message) : new EngineError(kind as ErrorKind, message); // it was an EngineError's kind over there
  return code === undefined ? error : Object.assign(error, { code });
}

interface IdleWorker {
  readonly worker: Worker;
  readonly timer: NodeJS.Timeout;
}

/**
 * Threads that run one job at a time each, started when needed and ended when they have been idle for a while.
 * What a job has opened in pipes is offered to the caller, who owns that end.
 */
export class WorkerPool implements AsyncDisposable {
  readonly #options: PoolOptions;
  readonly #idle: IdleWorker[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #running = new Set<Promise<unknown>>();
  readonly #stops = new Set<Int32Array>();
  #active = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Runs a job. Rejects with the signal's reason once it is aborted and the worker has stopped. */
  async run<K extends Job['kind']>(
    job: Extract<Job, { kind: K }>,
    options: { signal: AbortSignal; onPipe?: (fd: number) => void },
  ): Promise<JobResults[K]> {
    const { signal } = options;
    signal.throwIfAborted();
    await this.#acquire();
    try {
      signal.throwIfAborted();
      if (this.#closed) throw unavailable('the archive workers are shutting down');
      const running = this.#runIn(this.#take(), job, options);
      this.#running.add(running);
      try {
        // The worker answers with the result that belongs to the kind of job it was given.
        return (await running) as JobResults[K];
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      } finally {
        this.#running.delete(running);
      }
    } finally {
      this.#release();
    }
  }

  /** Stops all jobs and ends all threads. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const stop of this.#stops) Atomics.store(stop, 0, 1);
    await Promise.allSettled(this.#running);
    await Promise.all(
      this.#idle.splice(0).map(({ worker, timer }) => {
        clearTimeout(timer);
        return worker.terminate();
      }),
    );
  }

  async #acquire(): Promise<void> {
    if (this.#active < this.#options.maximum) this.#active += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#active -= 1;
  }

  #take(): Worker {
    const idle = this.#idle.pop();
    if (idle) {
      clearTimeout(idle.timer);
      idle.worker.ref();
      return idle.worker;
    }
    // Descriptors travel between threads here, which Node's own tracking takes for a mistake.
    return new Worker(this.#options.url, { trackUnmanagedFds: false, execArgv: [] });
  }

  #keep(worker: Worker): void {
    if (this.#closed || this.#idle.length >= this.#options.idle.workers) {
      void worker.terminate();
      return;
    }
    worker.unref();
    const timer = setTimeout(() => {
      const at = this.#idle.findIndex((idle) => idle.worker === worker);
      if (at >= 0) this.#idle.splice(at, 1);
      void worker.terminate();
    }, this.#options.idle.milliseconds).unref();
    this.#idle.push({ worker, timer });
  }

  async #runIn(
    worker: Worker,
    job: Job,
    { signal, onPipe }: { signal: AbortSignal; onPipe?: (fd: number) => void },
  ): Promise<JobResults[keyof JobResults]> {
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const abort = (): void => void Atomics.store(stop, 0, 1);
    signal.addEventListener('abort', abort, { once: true });
    this.#stops.add(stop);
    const { promise, resolve, reject } = Promise.withResolvers<JobResults[keyof JobResults]>();
    const onMessage = (message: WorkerMessage): void => {
      if (message.type === 'pipe') onPipe?.(message.fd);
      else if (message.type === 'done') resolve(message.result);
      else reject(revive(message.failure));
    };
    const state = { alive: true };
    const onError = (error: Error): void => {
      state.alive = false;
      reject(internal(`an archive worker failed: ${error.message}`, error));
    };
    const onExit = (code: number): void => {
      state.alive = false;
      reject(internal(`an archive worker ended with code ${code}`));
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    try {
      const { programFolders } = this.#options;
      const message: JobMessage = { job, stop: stop.buffer, programFolders };
      worker.postMessage(message);
      return await promise;
    } finally {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      signal.removeEventListener('abort', abort);
      this.#stops.delete(stop);
      if (state.alive) this.#keep(worker);
    }
  }
}
