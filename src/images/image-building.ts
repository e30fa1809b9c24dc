import { formatTime, newId, type Clock } from '#kernel';
import { mediaTypes, type Descriptor, type Digest } from '#oci';
import type { BlobSource } from './blob-downloads.ts';
import { CachedLayers, type CachedLayersOptions, type LayerUsage } from './cached-layers.ts';
import type { Claim } from './claims.ts';
import { topOf, type BuiltLayer, type LayerStack } from './layer-stack.ts';
import { LocalImageOutputs, type ImageOutputs, type ImageOutputsOptions } from './image-outputs.ts';

/** What one build holds: nothing of it is collected until the build is disposed. */
export interface BuildClaim extends AsyncDisposable {
  /** Layers that are in use from here on. False: some of it is gone. */
  use(layers: LayerStack): Promise<boolean>;
  /** Makes a writable snapshot over layers; its key. It is removed with the build unless it was frozen. */
  open(layers: LayerStack): Promise<string>;
  /** Freezes a snapshot as one more layer. */
  freeze(key: string, below: LayerStack, options: { readonly signal: AbortSignal }): Promise<BuiltLayer>;
  /** Unpacks a layer over others than those it was made on. */
  restack(
    layer: BuiltLayer,
    below: LayerStack,
    options: { readonly signal: AbortSignal },
  ): Promise<BuiltLayer>;
  discard(key: string): Promise<void>;
  /** Brings layers in that are elsewhere; resolves to them as they are here. Throws invalidArgument for broken ones. */
  receive(
    layers: LayerStack,
    from: BlobSource,
    options: { readonly signal: AbortSignal },
  ): Promise<LayerStack>;
  /** Brings a blob in that is elsewhere; resolves to its file, which is there until the build is over. */
  bring(blob: Descriptor, from: BlobSource, options: { readonly signal: AbortSignal }): Promise<string>;
  /** The layers from the `first` one on as one, none where they change nothing; `first` layers stay. */
  squash(layers: LayerStack, first: number, options: { readonly signal: AbortSignal }): Promise<LayerStack>;
  /** For what is made of the build. */
  readonly outputs: ImageOutputs;
}

/** What a builder needs of the image store. */
export interface ImageBuilding {
  begin(): BuildClaim;
  /** The layers of an image, none where it is empty; undefined for one that is not here. */
  layersOf(id: Digest): LayerStack | undefined;
  /** An image that is here: the text of its configuration, and its layers. */
  describe(reference: string): Promise<{ readonly config: string; readonly layers: LayerStack } | undefined>;
  /** What layers take that the builder keeps, by chainID, parents first; those that are gone are not in it. */
  usage(
    stacks: Iterable<LayerStack>,
    options: { readonly signal: AbortSignal },
  ): Promise<ReadonlyMap<Digest, LayerUsage>>;
  /** Removes what nothing holds any more of layers that the builder has let go of. */
  sweep(stacks: Iterable<LayerStack>): Promise<void>;
}

export interface ImageBuildingOptions extends CachedLayersOptions, ImageOutputsOptions {
  readonly clock: Clock;
}

/** Active snapshots with this prefix belong to a build; one that no lease holds is left over. */
export const buildPrefix = 'build-';

export class LocalImageBuilding implements ImageBuilding {
  readonly #options: ImageBuildingOptions;
  readonly #cached: CachedLayers;

  constructor(options: ImageBuildingOptions) {
    this.#options = options;
    this.#cached = new CachedLayers(options);
  }

  begin(): BuildClaim {
    return new LocalBuildClaim(this.#options, this.#cached);
  }

  usage(...asked: Parameters<ImageBuilding['usage']>): ReturnType<ImageBuilding['usage']> {
    return this.#cached.usage(...asked);
  }

  sweep(stacks: Iterable<LayerStack>): Promise<void> {
    return this.#cached.sweep(stacks);
  }

  async describe(reference: string): ReturnType<ImageBuilding['describe']> {
    const { index, content } = this.#options;
    const id = index.resolve(reference)?.id;
    if (id === undefined) return undefined;
    const layers = this.layersOf(id);
    return layers && { config: Buffer.from(await content.read(id)).toString(), layers };
  }

  layersOf(id: Digest): LayerStack | undefined {
    const model = this.#options.index.byId(id)?.model;
    const diffIds = model?.config.rootfs.diff_ids ?? [];
    return model?.layers.map((blob, n) => ({ blob, diffId: diffIds[n] ?? blob.digest }));
  }
}

class LocalBuildClaim implements BuildClaim {
  readonly #options: ImageBuildingOptions;
  readonly #claim: Claim;
  readonly #cached: CachedLayers;
  readonly #active = new Set<string>();
  readonly outputs: ImageOutputs;
  /** Blobs that were seen to be here, and are held. */
  readonly #seen = new Set<Digest>();

  constructor(options: ImageBuildingOptions, cached: CachedLayers) {
    this.#options = options;
    this.#cached = cached;
    this.#claim = options.claims.open();
    this.outputs = new LocalImageOutputs(options, this.#claim);
  }

  async use(layers: LayerStack): Promise<boolean> {
    const { content, snapshots } = this.#options;
    const top = topOf(layers);
    if (top === undefined) return true;
    const blobs = layers.map(({ blob }) => blob.digest);
    await this.#claim.all({ blobs, snapshots: [top] });
    if (!snapshots.find(top)) return false;
    const unseen = blobs.filter((digest) => !this.#seen.has(digest));
    const found = await Promise.all(unseen.map((digest) => content.find(digest)));
    for (const blob of found) if (blob) this.#seen.add(blob.digest);
    return found.every((blob) => blob !== undefined);
  }

  bring(blob: Descriptor, from: BlobSource, options: { signal: AbortSignal }): Promise<string> {
    return this.#cached.bring(blob, from, this.#claim, options);
  }

  receive(layers: LayerStack, from: BlobSource, options: { signal: AbortSignal }): Promise<LayerStack> {
    return this.#cached.receive(layers, from, this.#claim, options);
  }

  async open(layers: LayerStack): Promise<string> {
    const key = `${buildPrefix}${newId()}`;
    await this.#claim.snapshot(key);
    await this.#options.snapshots.prepare(key, topOf(layers));
    this.#active.add(key);
    return key;
  }

  async freeze(key: string, below: LayerStack, { signal }: { signal: AbortSignal }): Promise<BuiltLayer> {
    const { archiver, snapshots, content } = this.#options;
    const { stream, done } = archiver.diffLayer({ mounts: snapshots.mounts(key), signal });
    // Awaited below; a failure of the stream is seen there first.
    done.catch(() => undefined);
    await using ingest = await content.ingest();
    for await (const chunk of stream as AsyncIterable<Uint8Array>) await ingest.write(chunk);
    const { size } = await done;
    const blob = { mediaType: mediaTypes.dockerLayer, ...(await this.#claim.land(ingest)) };
    const layer = { diffId: blob.digest, blob, createdAt: formatTime(this.#options.clock.now()) };
    await this.#freezeAs(key, [...below, layer], size);
    return layer;
  }

  async restack(
    layer: BuiltLayer,
    below: LayerStack,
    { signal }: { signal: AbortSignal },
  ): Promise<BuiltLayer> {
    const { archiver, snapshots, content } = this.#options;
    const all = [...below, layer];
    if (await this.use(all)) return layer;
    const key = await this.open(below);
    const path = await content.path(layer.blob.digest);
    const { size } = await archiver.applyLayer({ path }, { mounts: snapshots.mounts(key), signal });
    await this.#freezeAs(key, all, size);
    return layer;
  }

  async discard(key: string): Promise<void> {
    this.#active.delete(key);
    await this.#options.snapshots.remove(key);
  }

  async squash(
    layers: LayerStack,
    first: number,
    options: { readonly signal: AbortSignal },
  ): Promise<LayerStack> {
    const { archiver, snapshots, content } = this.#options;
    const base = layers.slice(0, first);
    if (layers.length <= first) return base;
    const key = await this.open(base);
    for (const { blob } of layers.slice(first)) {
      const path = await content.path(blob.digest);
      await archiver.applyLayer({ path }, { mounts: snapshots.mounts(key), signal: options.signal });
    }
    return [...base, await this.freeze(key, base, options)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const key of this.#active) await this.#options.snapshots.remove(key);
    this.#active.clear();
    await this.#claim[Symbol.asyncDispose]();
  }

  async #freezeAs(key: string, layers: LayerStack, size: number): Promise<void> {
    const top = topOf(layers);
    if (top === undefined) throw new TypeError('a frozen snapshot has a layer');
    await this.#claim.snapshot(top);
    await this.#options.snapshots.commit(top, key, { size });
    this.#active.delete(key);
  }
}
