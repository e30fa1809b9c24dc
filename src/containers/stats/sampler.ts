import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import { takeSample, type ContainerSample } from './sample.ts';
import { readSystemCpu, type SystemCpu } from './system-cpu.ts';

/** One answer to who asks for a container's use. */
export interface StatsReading {
  readonly record: ContainerRecord;
  /** Undefined while the container does not run. */
  readonly sample: ContainerSample | undefined;
  /** What the same reader got before; processor use is the difference. */
  readonly previous: ContainerSample | undefined;
}

export interface StatsOptions {
  /** One reading a second until the container is removed; otherwise one only, after a second sample. */
  readonly stream: boolean;
  /** Without `stream`: at once, with nothing to compare to. */
  readonly oneShot: boolean;
  readonly signal: AbortSignal;
}

/** Samples of one container, shared by all who watch it. */
interface Watched {
  readonly id: string;
  readonly readers: Set<() => void>;
  sample: ContainerSample | undefined;
  /** Number of samples taken. */
  taken: number;
  removed: boolean;
  readonly timer: NodeJS.Timeout;
  readonly unwatched: AbortController;
}

/** Milliseconds between two samples of a container. */
const interval = 1000;
/** Nanoseconds for which the host's processor time counts as the same moment. */
const moment = 5_000_000n;

/**
 * Reads what containers use, once a second however many watch, and nothing while nobody does. A reader that is slow
 * misses samples; none are kept for it.
 */
export class StatsSampler {
  readonly #ctx: ContainerContext;
  readonly #watched = new Map<string, Watched>();
  /** Due samples wait for their turn of the event loop, one each. */
  readonly #due: Watched[] = [];
  #system: { readonly at: bigint; readonly cpu: SystemCpu } | undefined;

  constructor(ctx: ContainerContext) {
    this.#ctx = ctx;
  }

  /** Number of containers that are being watched. */
  get size(): number {
    return this.#watched.size;
  }

  /** Ends when the container is removed, or the signal aborts. Throws notFound for an unknown container. */
  async *read(ref: string, options: StatsOptions): AsyncGenerator<StatsReading, void, void> {
    const record = this.#ctx.store.get(ref);
    if (!options.stream && (options.oneShot || record.state.status !== 'running')) {
      yield { record, sample: this.#take(record.id), previous: undefined };
      return;
    }
    const watched = this.#watch(record.id);
    let wake: (() => void) | undefined;
    const reader = (): void => wake?.();
    const wait = (): Promise<void> => new Promise((resolve) => (wake = resolve));
    watched.readers.add(reader);
    options.signal.addEventListener('abort', reader);
    try {
      let previous: ContainerSample | undefined;
      let seen = 0;
      for (let readings = 1; await this.#newer(watched, seen, wait, options.signal); readings += 1) {
        seen = watched.taken;
        const { sample } = watched;
        const current = this.#ctx.store.find(record.id) ?? record;
        if (options.stream || readings === 2) yield { record: current, sample, previous };
        if (!options.stream && readings === 2) return;
        previous = sample;
      }
      if (!options.stream && watched.removed) yield { record, sample: undefined, previous };
    } finally {
      options.signal.removeEventListener('abort', reader);
      watched.readers.delete(reader);
      if (watched.readers.size === 0) this.#unwatch(watched);
    }
  }

  close(): void {
    for (const watched of [...this.#watched.values()]) this.#end(watched);
  }

  /** Waits for a sample behind the first `seen` ones; false when none will come. */
  async #newer(
    watched: Watched,
    seen: number,
    wait: () => Promise<void>,
    signal: AbortSignal,
  ): Promise<boolean> {
    while (watched.taken <= seen && !watched.removed && !signal.aborted) await wait();
    return watched.taken > seen && !signal.aborted;
  }

  #watch(id: string): Watched {
    const known = this.#watched.get(id);
    if (known) return known;
    const watched: Watched = {
      id,
      readers: new Set(),
      sample: this.#take(id),
      taken: 1,
      removed: false,
      timer: setInterval(() => this.#enqueue(watched), interval),
      unwatched: new AbortController(),
    };
    this.#watched.set(id, watched);
    this.#ctx.waiters.add(id, 'removed', watched.unwatched.signal).then(
      () => this.#end(watched),
      () => undefined,
    );
    return watched;
  }

  #unwatch(watched: Watched): void {
    clearInterval(watched.timer);
    watched.unwatched.abort();
    if (this.#watched.get(watched.id) === watched) this.#watched.delete(watched.id);
  }

  #end(watched: Watched): void {
    watched.removed = true;
    this.#unwatch(watched);
    for (const reader of watched.readers) reader();
  }

  #enqueue(watched: Watched): void {
    if (this.#due.push(watched) === 1) setImmediate(() => this.#next());
  }

  #next(): void {
    const watched = this.#due.shift();
    if (this.#due.length > 0) setImmediate(() => this.#next());
    if (!watched || watched.readers.size === 0) return;
    watched.sample = this.#take(watched.id);
    watched.taken += 1;
    for (const reader of watched.readers) reader();
  }

  #take(id: string): ContainerSample | undefined {
    const record = this.#ctx.store.find(id);
    return record && takeSample(this.#ctx, record, this.#systemCpu());
  }

  #systemCpu(): SystemCpu {
    const at = process.hrtime.bigint();
    if (this.#system === undefined || at - this.#system.at > moment) {
      this.#system = { at, cpu: readSystemCpu() };
    }
    return this.#system.cpu;
  }
}
