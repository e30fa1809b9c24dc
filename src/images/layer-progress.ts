import { shortId, type Clock } from '#kernel';
import type { Descriptor } from '#oci';
import type { BlobDownloads } from './blob-downloads.ts';
import type { ProgressEvent } from './images.ts';
import type { Repository } from '#registry/client';

const interval = 100_000_000n; // nanoseconds between two reports of bytes

/** Lets a report of bytes through at most ten times a second; the last one always. */
export class ProgressThrottle {
  readonly #clock: Clock;
  #last = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  allows(current: number, total: number): boolean {
    const now = this.#clock.now();
    if (current < total && now - this.#last < interval) return false;
    this.#last = now;
    return true;
  }
}

/** One layer's lines in the progress of a pull, in Docker's words. */
export class LayerProgress {
  readonly #layer: Descriptor;
  readonly #present: boolean;
  readonly #throttle: ProgressThrottle;
  readonly #report: (event: ProgressEvent) => void;

  /** `present`: blob and snapshot are both here. */
  constructor(
    layer: Descriptor,
    options: { present: boolean; clock: Clock; report: (event: ProgressEvent) => void },
  ) {
    this.#layer = layer;
    this.#present = options.present;
    this.#throttle = new ProgressThrottle(options.clock);
    this.#report = options.report;
  }

  begin(): void {
    this.#say(this.#present ? 'Already exists' : 'Pulling fs layer');
  }

  async download(downloads: BlobDownloads, repository: Repository, signal: AbortSignal): Promise<void> {
    if (this.#present) return;
    const { size } = this.#layer;
    await downloads.fetch(repository, this.#layer, {
      signal,
      watcher: {
        waiting: () => this.#say('Waiting'),
        progress: (current) => {
          if (this.#throttle.allows(current, size)) this.#say('Downloading', current);
        },
        verifying: () => this.#say('Verifying Checksum'),
        retrying: (seconds) => this.#say(`Retrying in ${seconds} second${seconds === 1 ? '' : 's'}`),
      },
    });
    this.#say('Download complete');
  }

  extracting(): void {
    this.#say('Extracting', 0);
  }

  finished(): void {
    if (this.#present) return;
    this.#say('Extracting', this.#layer.size);
    this.#say('Pull complete');
  }

  #say(status: string, current?: number): void {
    const id = shortId(this.#layer.digest);
    this.#report({ id, status, ...(current !== undefined && { current, total: this.#layer.size }) });
  }
}
