import type { ContentStore } from '#content';
import { KeyedLock } from '#kernel';
import { isIndex, mediaTypes, type Descriptor, type Digest, type Platform } from '#oci';
import type { Claim } from './claims.ts';
import { gzipFile } from './gzip-stream.ts';
import type { ImageIndex } from './image-index.ts';
import type { ImageIntake } from './image-intake.ts';
import { readImageModel, type ImageModel } from './stored-image.ts';

export interface LayerCompressionOptions {
  readonly content: ContentStore;
  readonly index: ImageIndex;
  readonly intake: ImageIntake;
  readonly platform: Platform;
}

const isUncompressed = ({ mediaType }: Descriptor): boolean =>
  mediaType === mediaTypes.dockerLayer || mediaType === mediaTypes.ociLayer;

/**
 * Gives images that were built, loaded or committed here compressed layers before they are pushed. What comes out is
 * kept in place of the plain layers, so that the next push, and those of images on top, send the same blobs.
 */
export class LayerCompression {
  readonly #options: LayerCompressionOptions;
  readonly #locks = new KeyedLock();
  /** What was made of plain layers since the daemon began; it may be gone by now. */
  readonly #made = new Map<Digest, Descriptor>();

  constructor(options: LayerCompressionOptions) {
    this.#options = options;
  }

  /** The same image with compressed layers, all held by the claim; an index is taken as it is. */
  async compress(model: ImageModel, claim: Claim, signal: AbortSignal): Promise<ImageModel> {
    const { content, index, intake, platform } = this.#options;
    if (isIndex(model.target.mediaType) || !model.layers.some(isUncompressed)) return model;
    const layers: Descriptor[] = [];
    for (const [n, layer] of model.layers.entries()) {
      const diffId = model.config.rootfs.diff_ids[n] ?? layer.digest;
      const compressed = isUncompressed(layer)
        ? await this.#compressedLayer(layer, diffId, claim, signal)
        : layer;
      layers.push(compressed);
    }
    const target = await intake.putManifest(claim, model.configuration, layers);
    const result = await readImageModel(content, target, platform, target);
    const known = index.byId(model.id);
    // Removed or replaced meanwhile: then this push goes on, and nothing is recorded.
    if (known?.model === model) index.add(result, known.record.size, []);
    return result;
  }

  /** A compressed form of the layer, held by the claim; one is made only if there is none yet. */
  async #compressedLayer(
    layer: Descriptor,
    diffId: Digest,
    claim: Claim,
    signal: AbortSignal,
  ): Promise<Descriptor> {
    const lock = await this.#locks.acquire(layer.digest, { signal });
    try {
      return (
        (await this.#findCompressed(layer, diffId, claim)) ??
        (await this.#compressLayer(layer, claim, signal))
      );
    } finally {
      lock[Symbol.dispose]();
    }
  }

  async #findCompressed(layer: Descriptor, diffId: Digest, claim: Claim): Promise<Descriptor | undefined> {
    const { index, content } = this.#options;
    for (const known of [index.layerOf(diffId), this.#made.get(layer.digest)]) {
      if (!known || isUncompressed(known)) continue;
      await claim.blob(known.digest);
      if (await content.find(known.digest)) return known;
    }
    return undefined;
  }

  async #compressLayer(layer: Descriptor, claim: Claim, signal: AbortSignal): Promise<Descriptor> {
    const { content } = this.#options;
    await using ingest = await content.ingest();
    for await (const chunk of gzipFile(await content.pathOfWhole(layer.digest), { signal }))
      await ingest.write(chunk);
    const { digest, size } = await claim.land(ingest);
    const made = { mediaType: mediaTypes.dockerLayerGzip, digest, size };
    this.#made.set(layer.digest, made);
    return made;
  }
}
