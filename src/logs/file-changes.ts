import { watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';

export interface FileChangesOptions {
  readonly path: string;
  readonly until?: bigint | undefined;
  readonly ended?: Promise<unknown> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A look without notice: changes may be missed where inotify does not reach (network file systems). */
const CHECK_MS = 1000;
/** Where no notice is to be had at all. */
const POLL_MS = 50;

/** Wakes a reader when its file's folder changes, or when there is nothing more to wait for. */
export class FileChanges implements Disposable {
  readonly #watcher: FSWatcher | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #signal: AbortSignal | undefined;
  #over = false;
  #changed = false;
  #wake: (() => void) | undefined;

  constructor(options: FileChangesOptions) {
    this.#signal = options.signal;
    this.#watcher = this.#watch(dirname(options.path));
    this.#timers.push(setInterval(this.#touch, this.#watcher ? CHECK_MS : POLL_MS));
    options.signal?.addEventListener('abort', this.#touch);
    options.ended?.then(this.#end, this.#end);
    if (options.until !== undefined) {
      const left = Number(options.until / 1_000_000n) - Date.now();
      // A timer's longest time is 24.8 days; whoever follows longer than that may do so for ever.
      if (left < 2 ** 31) this.#timers.push(setTimeout(this.#end, Math.max(0, left)));
    }
  }

  /** Nothing more will come: read once more, then stop. */
  get over(): boolean {
    return this.#over;
  }

  /** Resolves when there may be something new; at once when there was since the last call. */
  async next(): Promise<void> {
    if (!this.#changed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#changed = false;
    this.#wake = undefined;
  }

  /** Makes the next wait end at once. */
  touch(): void {
    this.#touch();
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#signal?.removeEventListener('abort', this.#touch);
  }

  #watch(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, this.#touch);
      watcher.on('error', this.#touch);
      return watcher;
    } catch {
      // The limit of watches is reached, or the folder is gone.
      return undefined;
    }
  }

  readonly #touch = (): void => {
    this.#changed = true;
    this.#wake?.();
  };

  readonly #end = (): void => {
    this.#over = true;
    this.#touch();
  };
}
