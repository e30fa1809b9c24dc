import { unimplemented } from '#kernel';
import type { Digest } from '#oci';
import type { Built, ExportResponse, Exporter } from './exporter.ts';
import { configOf } from './image-config.ts';

/** Puts what was built into the image store, under names or none. */
export class ImageExporter implements Exporter {
  readonly #names: readonly string[];
  #id: Digest | undefined;

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** The image's id, once it is there. */
  get id(): Digest | undefined {
    return this.#id;
  }

  async export({ platforms, claim, now, signal }: Built): Promise<ExportResponse> {
    const [only, ...others] = platforms;
    if (!only || others.length > 0) throw unimplemented('images of several platforms are not supported yet');
    const { plan, layers } = only;
    const config = configOf(plan.image, layers, plan.baseImage, now);
    const { id, manifest } = await claim.commit(layers, config, this.#names, { signal });
    this.#id = id;
    return {
      'containerimage.config.digest': id,
      'containerimage.digest': manifest,
      ...(this.#names.length > 0 && { 'image.name': this.#names.join(',') }),
    };
  }
}
