import type { ContentStore } from '#content';
import type { Lease } from '#metadata';
import { digestOf, mediaTypes, type Descriptor, type Digest, type Platform } from '#oci';
import type { Claims } from './claims.ts';
import type { ImageIndex, ImageName, StoredImage } from './image-index.ts';
import type { LayerUnpacker, UnpackWatcher } from './layer-unpacker.ts';
import { readImageModel } from './stored-image.ts';

export interface ImageIntakeOptions {
  readonly content: ContentStore;
  readonly claims: Claims;
  readonly index: ImageIndex;
  readonly unpacker: LayerUnpacker;
}

export interface AdmitOptions {
  readonly names: readonly ImageName[];
  readonly platform: Platform;
  readonly lease: Lease;
  readonly signal: AbortSignal;
  /** The manifest, where it has been chosen already. */
  readonly manifest?: Descriptor;
  readonly watcher?: UnpackWatcher;
}

/** The last steps of everything that brings an image in: its documents are checked, its layers unpacked, its names set. */
export class ImageIntake {
  readonly #options: ImageIntakeOptions;

  constructor(options: ImageIntakeOptions) {
    this.#options = options;
  }

  /** Puts a document into the content store, held by the lease. */
  async put(lease: Lease, mediaType: string, data: Uint8Array): Promise<Descriptor> {
    const { content, claims } = this.#options;
    const digest = digestOf(data);
    await claims.hold(lease, 'blob', digest);
    const { size } = await content.put(data, digest);
    return { mediaType, digest, size };
  }

  /** Puts a manifest over a configuration and layers, as Docker writes it (schema 2). */
  async putManifest(
    lease: Lease,
    config: Omit<Descriptor, 'mediaType'>,
    layers: readonly Descriptor[],
  ): Promise<Descriptor> {
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config: { mediaType: mediaTypes.dockerConfig, size: config.size, digest: config.digest },
      layers: layers.map(({ mediaType, size, digest }) => ({ mediaType, size, digest })),
    };
    return this.put(lease, mediaTypes.dockerManifest, Buffer.from(JSON.stringify(manifest)));
  }

  /**
   * Makes an image of what `target` leads to, all of which is held by the lease. An image with that id that is here
   * already stays as it is and gets the names.
   */
  async admit(target: Descriptor, options: AdmitOptions): Promise<StoredImage> {
    const { content, index, unpacker, claims } = this.#options;
    const { names, platform, lease, signal, watcher } = options;
    const model = await readImageModel(content, target, platform, options.manifest);
    for (const digest of model.blobs) await claims.hold(lease, 'blob', digest);
    if (!index.byId(model.id)) {
      const size = await unpacker.unpack(model, lease, { signal, ...(watcher && { watcher }) });
      signal.throwIfAborted();
      // Another operation may have been faster while the layers were unpacked.
      if (index.byId(model.id)) index.name(model.id, names);
      else index.add(model, size, names);
    } else index.name(model.id, names);
    return this.get(model.id);
  }

  get(id: Digest): StoredImage {
    const image = this.#options.index.byId(id);
    if (!image) throw new Error(`image ${id} has just been added and is not there`);
    return image;
  }
}
