import { pipeline } from 'node:stream/promises';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import { decompress } from '#archive';
import type { ContentStore } from '#content';
import { KeyedLock } from '#kernel';
import {
  isImageConfig,
  isIndex,
  mediaTypes,
  parseManifest,
  type Descriptor,
  type Digest,
  type Manifest,
  type Platform,
} from '#oci';
import type { Claim } from './claims.ts';
import { gzipFile } from './gzip-stream.ts';
import type { ImageIndex } from './image-index.ts';
import type { ImageIntake } from './image-intake.ts';
import { IndexCompression } from './index-compression.ts';
import { findMissingBlob, readConfig, readImageModel, type ImageModel } from './stored-image.ts';

export interface LayerCompressionOptions {
  readonly content: ContentStore;
  readonly index: ImageIndex;
  readonly intake: ImageIntake;
  readonly platform: Platform;
}

/** How a layer is to be compressed. */
export interface LayerForm {
  readonly type: LayerCompressionType;
  /** As the algorithm counts; its usual one by default. */
  readonly level?: number;
  /** Layers that are compressed otherwise are converted, too. */
  readonly isForced?: boolean;
}

export type LayerCompressionType = 'uncompressed' | 'gzip' | 'zstd';

const layerTypes = {
  uncompressed: mediaTypes.dockerLayer,
  gzip: mediaTypes.dockerLayerGzip,
  // Docker's own types have none.
  zstd: mediaTypes.ociLayerZstd,
} as const;

const compressionOf = ({ mediaType }: Descriptor): LayerCompressionType | 'unknown' => {
  if (mediaType === mediaTypes.dockerLayer || mediaType === mediaTypes.ociLayer) return 'uncompressed';
  if (mediaType === mediaTypes.dockerLayerGzip || mediaType === mediaTypes.ociLayerGzip) return 'gzip';
  return mediaType === mediaTypes.ociLayerZstd ? 'zstd' : 'unknown';
};

const isUncompressed = (layer: Descriptor): boolean => compressionOf(layer) === 'uncompressed';

/**
 * Gives layers another compression: those of images that were built, loaded or committed here before they are pushed.
 * What comes out of that is kept in place of the plain layers, so that the next push, and those of images on top, send
 * the same blobs.
 */
export class LayerCompression {
  readonly #options: LayerCompressionOptions;
  readonly #locks = new KeyedLock();
  /** What was made of layers since the daemon began, by layer and form; it may be gone by now. */
  readonly #made = new Map<string, Descriptor>();

  constructor(options: LayerCompressionOptions) {
    this.#options = options;
  }

  /** The same image with compressed layers, all held by the claim. */
  async compress(model: ImageModel, claim: Claim, signal: AbortSignal): Promise<ImageModel> {
    if (isIndex(model.target.mediaType)) return this.#compressIndex(model, claim, signal);
    const { content, intake, platform } = this.#options;
    if (!model.layers.some(isUncompressed)) return model;
    const layers = await this.#compressLayers(model.layers, model.config.rootfs.diff_ids, claim, signal);
    const manifest = parseManifest(await content.read(model.manifest.digest));
    const document = Buffer.from(JSON.stringify({ ...manifest, layers }));
    const target = await intake.put(claim, model.manifest.mediaType, document);
    const result = await readImageModel(content, target, platform, target);
    this.#replace(model, result);
    return result;
  }

  /** With all of its platforms that are images here. */
  async #compressIndex(model: ImageModel, claim: Claim, signal: AbortSignal): Promise<ImageModel> {
    const { content, index, intake, platform } = this.#options;
    const compression = new IndexCompression({
      ...{ content, intake, claim },
      compressed: async (manifest) => {
        const isImage = isImageConfig(manifest.config.mediaType) && manifest.layers.some(isUncompressed);
        if (!isImage || (await findMissingBlob(content, blobsOf(manifest)))) return manifest.layers;
        const { rootfs } = await readConfig(content, manifest);
        return this.#compressLayers(manifest.layers, rootfs.diff_ids, claim, signal);
      },
    });
    const target = await compression.compress(model.target);
    const { replaced } = compression;
    if (replaced.size === 0) return model;
    const next = async (one: ImageModel): Promise<ImageModel> => {
      const manifest = replaced.get(one.manifest.digest);
      return readImageModel(content, target, platform, { ...one.manifest, ...manifest });
    };
    const result = await next(model);
    for (const { model: other } of index.images()) {
      if (other.target.digest === model.target.digest) this.#replace(other, await next(other));
    }
    return result;
  }

  async #compressLayers(
    layers: readonly Descriptor[],
    diffIds: readonly Digest[],
    claim: Claim,
    signal: AbortSignal,
  ): Promise<readonly Descriptor[]> {
    const compressed: Descriptor[] = [];
    for (const [n, layer] of layers.entries()) {
      const options = { diffId: diffIds[n] ?? layer.digest, form: { type: 'gzip' }, claim, signal } as const;
      const made = await this.convert(layer, options);
      // In the words of the manifest: a type of Docker's becomes one of OCI's where the others are.
      const isOci = layer.mediaType.startsWith('application/vnd.oci.');
      const mediaType =
        isOci && made.mediaType === mediaTypes.dockerLayerGzip ? mediaTypes.ociLayerGzip : made.mediaType;
      compressed.push({ ...made, mediaType });
    }
    return compressed;
  }

  /** Removed or replaced meanwhile: then this push goes on, and nothing is recorded. */
  #replace(model: ImageModel, result: ImageModel): void {
    const known = this.#options.index.byId(model.id);
    if (known?.model === model) this.#options.index.add(result, known.record.size, []);
  }

  /**
   * The layer in another form, held by the claim; it is made only if there is none yet. One that is compressed already
   * stays as it is unless the form is forced.
   */
  async convert(
    layer: Descriptor,
    {
      diffId,
      form,
      claim,
      signal,
    }: {
      readonly diffId: Digest;
      readonly form: LayerForm;
      readonly claim: Claim;
      readonly signal: AbortSignal;
    },
  ): Promise<Descriptor> {
    const current = compressionOf(layer);
    if (current === form.type || current === 'unknown') return layer;
    if (current !== 'uncompressed' && form.isForced !== true) return layer;
    const key = `${diffId} ${form.type} ${form.level ?? ''}`;
    using _lock = await this.#locks.acquire(key, { signal });
    const known = await this.#findMade(key, diffId, form, claim);
    if (known) return known;
    await using ingest = await this.#options.content.ingest();
    for await (const chunk of await this.#bytes(layer, form, signal)) await ingest.write(chunk);
    const { digest, size } = await claim.land(ingest);
    const made = { mediaType: layerTypes[form.type], digest, size };
    this.#made.set(key, made);
    return made;
  }

  async #findMade(
    key: string,
    diffId: Digest,
    form: LayerForm,
    claim: Claim,
  ): Promise<Descriptor | undefined> {
    const { index, content } = this.#options;
    for (const known of [form.level === undefined ? index.layerOf(diffId) : undefined, this.#made.get(key)]) {
      if (!known || compressionOf(known) !== form.type) continue;
      await claim.blob(known.digest);
      const info = await content.find(known.digest);
      if (info) return { mediaType: layerTypes[form.type], digest: known.digest, size: info.size };
    }
    return undefined;
  }

  async #bytes(layer: Descriptor, form: LayerForm, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const { content } = this.#options;
    if (isUncompressed(layer) && form.type === 'gzip' && form.level === undefined) {
      return gzipFile(await content.pathOfWhole(layer.digest), { signal });
    }
    const { stream } = await decompress(await content.openStream(layer.digest), { signal });
    return form.type === 'uncompressed' ? stream : compressed(stream, form, signal);
  }
}

const blobsOf = ({ config, layers }: Manifest): readonly Digest[] => [
  config.digest,
  ...layers.map(({ digest }) => digest),
];

/** By zlib in libuv's threads. */
function compressed(
  stream: AsyncIterable<Uint8Array>,
  { type, level }: LayerForm,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const filter =
    type === 'gzip'
      ? createGzip(level === undefined ? {} : { level })
      : createZstdCompress(
          level === undefined ? {} : { params: { [constants.ZSTD_c_compressionLevel]: level } },
        );
  // A failure of the source reaches the reader through the filter.
  pipeline(stream, filter, { signal }).catch(() => undefined);
  return filter;
}
