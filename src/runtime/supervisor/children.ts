import type { Clock } from '#kernel';
import { reapChild, spawnProcess, type SpawnOptions } from '#linux';

export interface ChildExit {
  readonly exitCode: number;
  /** When it was reaped: nanoseconds since the epoch. */
  readonly at: bigint;
}

/**
 * Every child of this process, adopted ones included. Nothing else here may wait for children. Statuses of pids that
 * nobody asked for yet are kept while a program runs that may yet tell us of them (an OCI runtime's container can end
 * before the runtime itself).
 */
export class Children {
  readonly #clock: Clock;
  readonly #watchers = new Map<number, (exit: ChildExit) => void>();
  readonly #unclaimed = new Map<number, ChildExit>();
  #holds = 0;
  readonly #onSignal = (): void => this.reap();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Children known of and not ended. */
  get size(): number {
    return this.#watchers.size;
  }

  start(): void {
    process.on('SIGCHLD', this.#onSignal);
    this.reap();
  }

  stop(): void {
    process.off('SIGCHLD', this.#onSignal);
  }

  /** Keeps the statuses of unknown pids while `body` runs. */
  async holding<T>(body: () => Promise<T>): Promise<T> {
    this.#holds += 1;
    try {
      return await body();
    } finally {
      this.#holds -= 1;
      if (this.#holds === 0) this.#unclaimed.clear();
    }
  }

  /** Starts that may yet name a pid. */
  get holds(): number {
    return this.#holds;
  }

  /** Starts a program and resolves with its exit. `onStart` is told its pid. */
  run(options: SpawnOptions, onStart?: (pid: number) => void): Promise<ChildExit> {
    const { promise, resolve } = Promise.withResolvers<ChildExit>();
    const pid = spawnProcess(options);
    this.#watchers.set(pid, resolve);
    onStart?.(pid);
    return promise;
  }

  /** Calls back once when the child ends, or soon if it already has. */
  watch(pid: number, onExit: (exit: ChildExit) => void): void {
    const exit = this.#unclaimed.get(pid);
    if (!exit) {
      this.#watchers.set(pid, onExit);
      return;
    }
    this.#unclaimed.delete(pid);
    setImmediate(onExit, exit);
  }

  /** Signals coalesce: takes every ended child. */
  reap(): void {
    for (let child = reapChild(); child; child = reapChild()) {
      const { pid, exitCode } = child;
      const exit = { exitCode, at: this.#clock.now() };
      const watcher = this.#watchers.get(pid);
      this.#watchers.delete(pid);
      if (watcher) watcher(exit);
      else if (this.#holds > 0) this.#unclaimed.set(pid, exit);
    }
  }
}
