import { shortId, type Clock } from '#kernel';
import type { Descriptor, Digest } from '#oci';
import type { Repository } from '#registry/client';
import type { BlobUpload, BlobUploads } from './blob-uploads.ts';
import type { ProgressEvent } from './images.ts';
import { ProgressThrottle } from './layer-progress.ts';

export interface LayerUploadOptions {
  readonly uploads: BlobUploads;
  readonly clock: Clock;
  report(event: ProgressEvent): void;
}

/** Layers that their licence keeps where they are (image-spec, non-distributable layers). */
const isForeign = ({ mediaType, urls = [] }: Descriptor): boolean =>
  urls.length > 0 && /\.(?:foreign|nondistributable)\./.test(mediaType);

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

  get layer(): Descriptor {
    return this.#layer;
  }

  prepare(): void {
    this.#say('Preparing');
  }

  /** Sends the layer unless it is there, or can be taken over from another repository of the same registry. */
  async push(
    repository: Repository,
    origin: Pick<BlobUpload, 'sources' | 'open'>,
    signal: AbortSignal,
  ): Promise<void> {
    if (isForeign(this.#layer)) {
      this.#say('Skipped foreign layer');
      return;
    }
    const throttle = new ProgressThrottle(this.#options.clock);
    const { size } = this.#layer;
    const upload = {
      ...origin,
      descriptor: this.#layer,
      waiting: () => this.#say('Waiting'),
      progress: (current: number) => {
        if (throttle.allows(current, size)) this.#say('Pushing', current);
      },
    };
    const outcome = await this.#options.uploads.push(repository, upload, signal);
    if (outcome === 'present') this.#say('Layer already exists');
    else if (outcome === 'pushed') this.#say('Pushed');
    else this.#say(`Mounted from ${outcome.mountedFrom}`);
  }

  #say(status: string, current?: number): void {
    const total = this.#layer.size;
    this.#options.report({ id: this.#id, status, ...(current !== undefined && { current, total }) });
  }
}
