import type { ContentStore } from '#content';
import type { Digest, Platform } from '#oci';
import type { Claims } from './claims.ts';
import type { ImageHandover, ImageOffer } from './image-handover.ts';
import { isDigestName, noSuchImage, repositoryOf, type ImageIndex } from './image-index.ts';
import type { LayerCompression } from './layer-compression.ts';
import type { ImageModel } from './stored-image.ts';

export interface ImageOffersOptions {
  readonly content: ContentStore;
  readonly claims: Claims;
  readonly index: ImageIndex;
  readonly compression: LayerCompression;
  readonly platform: Platform;
}

/** The offering end of ImageHandover. */
export class ImageOffers implements Pick<ImageHandover, 'offer' | 'read'> {
  readonly #options: ImageOffersOptions;

  constructor(options: ImageOffersOptions) {
    this.#options = options;
  }

  offer: ImageHandover['offer'] = async (text, { compress, signal }) => {
    const { claims, index, compression } = this.#options;
    const found = index.resolve(text);
    const stored = found && index.byId(found.id);
    if (!stored) throw noSuchImage(text);
    await using claim = claims.open();
    for (const digest of stored.model.blobs) await claim.blob(digest);
    const model = compress ? await compression.compress(stored.model, claim, signal) : stored.model;
    return { ...(await this.#describe(model)), names: this.#names(model.id, found.name) };
  };

  read: ImageHandover['read'] = (digest, start) => this.#options.content.openStream(digest, { start });

  async #describe(model: ImageModel): Promise<Omit<ImageOffer, 'names'>> {
    const { id, target, manifest, layers } = model;
    const digests = new Set<Digest>(model.blobs);
    for (const layer of layers) digests.delete(layer.digest);
    const others = [];
    for (const digest of digests) {
      const info = await this.#options.content.find(digest);
      if (info) others.push({ digest, size: info.size });
    }
    return { id, target, manifest, layers, others };
  }

  /** The name that was asked for, and the digests by which the image is known in that repository. */
  #names(id: Digest, name: string | undefined): readonly string[] {
    if (name === undefined) return [];
    const repository = repositoryOf(name);
    const digests = this.#options.index
      .namesOf(id)
      .filter((other) => isDigestName(other) && other !== name && repositoryOf(other) === repository);
    return [name, ...digests];
  }
}
