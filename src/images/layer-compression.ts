import type { ContentStore } from '#content';
import { SingleFlight } from '#kernel';
import type { Lease } from '#metadata';
import { isIndex, mediaTypes, type Descriptor, type Digest, type Platform } from '#oci';
import type { Claims } from './claims.ts';
import { gzipFile } from './gzip-stream.ts';
import type { ImageIndex } from './image-index.ts';
import type { ImageIntake } from './image-intake.ts';
import { readImageModel, type ImageModel } from './stored-image.ts';

export interface LayerCompressionOptions {
  readonly content: ContentStore;
  readonly claims: Claims;
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
  readonly #flights = new SingleFlight<Descriptor>();

  constructor(options: LayerCompressionOptions) {
    this.#options = options;
  }

  /** The same image with compressed layers, all held by the lease; an index is taken as it is. */
  async compress(model: ImageModel, lease: Lease, signal: AbortSignal): Promise<ImageModel> {
    const { content, claims, index, intake, platform } = this.#options;
    if (isIndex(model.target.mediaType) || !model.layers.some(isUncompressed)) return model;
    const layers: Descriptor[] = [];
    for (const [n, layer] of model.layers.entries()) {
      const diffId = model.config.rootfs.diff_ids[n] ?? layer.digest;
      const compressed = isUncompressed(layer) ? await this.#compressedLayer(layer, diffId, signal) : layer;
      await claims.hold(lease, 'blob', compressed.digest);
      layers.push(compressed);
    }
    const target = await intake.putManifest(lease, model.configuration, layers);
    const result = await readImageModel(content, target, platform, target);
    const known = index.byId(model.id);
    // Removed or replaced meanwhile: then this push goes on, and nothing is recorded.
    if (known?.model === model) index.add(result, known.record.size, []);
    return result;
  }

  /** Another image's compressed form of the layer, or a new one. */
  async #compressedLayer(layer: Descriptor, diffId: Digest, signal: AbortSignal): Promise<Descriptor> {
    const { index, content } = this.#options;
    const known = index.layerOf(diffId);
    if (known && !isUncompressed(known) && (await content.find(known.digest))) return known;
    return this.#flights.run(layer.digest, (each) => this.#compressLayer(layer, each), signal);
  }

  async #compressLayer(layer: Descriptor, signal: AbortSignal): Promise<Descriptor> {
    const { content, claims } = this.#options;
    using lease = claims.open();
    await using ingest = await content.ingest();
    for await (const chunk of gzipFile(await content.path(layer.digest), signal)) await ingest.write(chunk);
    const { digest, size } = await claims.land(lease, ingest);
    return { mediaType: mediaTypes.dockerLayerGzip, digest, size };
  }
}
