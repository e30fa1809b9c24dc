import { Transform, type Readable } from 'node:stream';
import type { ContentStore } from '#content';
import { shortId, type Clock } from '#kernel';
import { canonicalName, type Descriptor, type Digest, type Reference } from '#oci';
import type { Repository } from '#registry/client';
import type { ProgressEvent } from './images.ts';
import { ProgressThrottle } from './layer-progress.ts';

export interface LayerUploadOptions {
  readonly content: ContentStore;
  readonly clock: Clock;
  report(event: ProgressEvent): void;
}

/** One layer on its way to a registry, with its lines in the progress of a push. */
export class LayerUpload {
  readonly #layer: Descriptor;
  readonly #id: string;
  readonly #options: LayerUploadOptions;

  /** `diffId` names the layer in the progress. */
  constructor(layer: Descriptor, diffId: Digest, options: LayerUploadOptions) {
    this.#layer = layer;
    this.#id = shortId(diffId);
    this.#options = options;
  }

  get digest(): Digest {
    return this.#layer.digest;
  }

  prepare(): void {
    this.#say('Preparing');
  }

  /** Sends the layer unless it is there, or can be taken over from one of `sources` in the same registry. */
  async push(repository: Repository, sources: readonly Reference[], signal: AbortSignal): Promise<void> {
    const { digest } = this.#layer;
    if (await repository.hasBlob(digest, { signal })) {
      this.#say('Layer already exists');
      return;
    }
    for (const source of sources) {
      if (await repository.mountBlob(digest, canonicalName(source), { signal })) {
        this.#say(`Mounted from ${source.path}`);
        return;
      }
    }
    await repository.pushBlob(this.#layer, () => this.#open(), { signal });
    this.#say('Pushed');
  }

  async #open(): Promise<Readable> {
    const { size, digest } = this.#layer;
    const throttle = new ProgressThrottle(this.#options.clock);
    let current = 0;
    const source = await this.#options.content.openStream(digest);
    const counter = new Transform({
      transform: (chunk: Buffer, _encoding, next) => {
        current += chunk.length;
        if (throttle.allows(current, size)) this.#say('Pushing', current);
        next(null, chunk);
      },
    });
    source.once('error', (error) => counter.destroy(error));
    counter.once('close', () => source.destroy());
    return source.pipe(counter);
  }

  #say(status: string, current?: number): void {
    const total = this.#layer.size;
    this.#options.report({ id: this.#id, status, ...(current !== undefined && { current, total }) });
  }
}
