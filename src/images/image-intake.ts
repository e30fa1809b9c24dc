import type { ContentStore } from '#content';
import { digestOf, isIndex, mediaTypes, type Descriptor, type Digest, type Platform } from '#oci';
import type { Claim } from './claims.ts';
import type { ImageIndex, ImageName, NameGiver, StoredImage } from './image-index.ts';
import type { LayerUnpacker, UnpackWatcher } from './layer-unpacker.ts';
import { readImageModel } from './stored-image.ts';

export interface ImageIntakeOptions {
  readonly content: ContentStore;
  readonly index: ImageIndex;
  readonly unpacker: LayerUnpacker;
}

export interface AdmitOptions {
  readonly names: readonly ImageName[];
  readonly given?: NameGiver;
  readonly platform: Platform;
  readonly claim: Claim;
  readonly signal: AbortSignal;
  /** The manifest, where it has been chosen already. */
  readonly manifest?: Descriptor;
  readonly watcher?: UnpackWatcher;
  /** Whether an image that is here already gets this manifest in place of its own; an index it keeps. */
  readonly replaces?: boolean;
}

/** The last steps of everything that brings an image in: its documents are checked, its layers unpacked, its names set. */
export class ImageIntake {
  readonly #options: ImageIntakeOptions;

  constructor(options: ImageIntakeOptions) {
    this.#options = options;
  }

  /** Puts a document into the content store, held by the claim. */
  async put(claim: Claim, mediaType: string, data: Uint8Array): Promise<Descriptor> {
    const { content } = this.#options;
    const digest = digestOf(data);
    await claim.blob(digest);
    const { size } = await content.put(data, digest);
    return { mediaType, digest, size };
  }

  /** Puts a manifest over a configuration and layers, as Docker writes it (schema 2). */
  async putManifest(
    claim: Claim,
    config: Omit<Descriptor, 'mediaType'>,
    layers: readonly Descriptor[],
  ): Promise<Descriptor> {
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config: { mediaType: mediaTypes.dockerConfig, size: config.size, digest: config.digest },
      layers: layers.map(({ mediaType, size, digest }) => ({ mediaType, size, digest })),
    };
    return this.put(claim, mediaTypes.dockerManifest, Buffer.from(JSON.stringify(manifest)));
  }

  /**
   * Makes an image of what `target` leads to, all of which is held by the claim. An image with that id that is here
   * already stays as it is and gets the names.
   */
  async admit(target: Descriptor, options: AdmitOptions): Promise<StoredImage> {
    const { content, index, unpacker } = this.#options;
    const { names, given, platform, claim, signal, watcher } = options;
    const model = await readImageModel(content, target, platform, options.manifest);
    for (const digest of model.blobs) await claim.blob(digest);
    const size = index.byId(model.id)
      ? undefined
      : await unpacker.unpack(model, claim, { signal, ...(watcher && { watcher }) });
    signal.throwIfAborted();
    // Another operation may have been faster while the layers were unpacked.
    const known = index.byId(model.id);
    if (!known) index.add(model, size ?? 0, names, given);
    else {
      const before = known.model.target;
      // An index tells more than one of its manifests.
      const takes = isIndex(target.mediaType) || (options.replaces === true && !isIndex(before.mediaType));
      if (!takes || before.digest === target.digest) index.name(model.id, names, given);
      else {
        for (const digest of known.model.blobs) await claim.blob(digest);
        index.add(model, known.record.size, names, given);
      }
    }
    return this.get(model.id);
  }

  get(id: Digest): StoredImage {
    const image = this.#options.index.byId(id);
    if (!image) throw new Error(`image ${id} has just been added and is not there`);
    return image;
  }
}
