import { shortId, type Clock } from '#kernel';
import type { Descriptor } from '#oci';
import type { BlobDownloads, BlobSource } from './blob-downloads.ts';
import type { ProgressEvent } from './images.ts';
import { ProgressThrottle } from './layer-progress.ts';

interface ReceivedLayerOptions {
  /** Blob and snapshot are both here. */
  readonly present: boolean;
  readonly words: 'push' | 'pull';
  readonly clock: Clock;
  report(event: ProgressEvent): void;
}

const vocabulary = {
  push: { waits: 'Preparing', comes: 'Pushing', done: 'Pushed', present: 'Layer already exists' },
  pull: { waits: 'Waiting', comes: 'Downloading', done: 'Pull complete', present: 'Already exists' },
} as const;

/** One layer that comes from another host, with its lines in the progress. */
export class ReceivedLayer {
  readonly #layer: Descriptor;
  readonly #options: ReceivedLayerOptions;
  readonly #throttle: ProgressThrottle;

  constructor(layer: Descriptor, options: ReceivedLayerOptions) {
    this.#layer = layer;
    this.#options = options;
    this.#throttle = new ProgressThrottle(options.clock);
  }

  begin(): void {
    const { present, waits } = vocabulary[this.#options.words];
    this.#say(this.#options.present ? present : waits);
  }

  async arrive(downloads: BlobDownloads, source: BlobSource, signal: AbortSignal): Promise<void> {
    if (this.#options.present) return;
    const { comes } = vocabulary[this.#options.words];
    await downloads.fetch(source, this.#layer, {
      signal,
      watcher: {
        progress: (current) => {
          if (this.#throttle.allows(current, this.#layer.size)) this.#say(comes, current);
        },
        verifying: () => undefined,
        retrying: (seconds) => this.#say(`Retrying in ${seconds} second${seconds === 1 ? '' : 's'}`),
      },
    });
  }

  extracting(): void {
    this.#say('Extracting', 0);
  }

  finished(): void {
    if (!this.#options.present) this.#say(vocabulary[this.#options.words].done);
  }

  #say(status: string, current?: number): void {
    const { digest, size } = this.#layer;
    this.#options.report({
      id: shortId(digest),
      status,
      ...(current !== undefined && { current, total: size }),
    });
  }
}
