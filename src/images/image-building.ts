import { formatTime, newId, type Clock } from '#kernel';
import { mediaTypes, type Digest } from '#oci';
import type { Snapshotter } from '#snapshots';
import type { Claim, Claims } from './claims.ts';
import type { ImageIndex } from './image-index.ts';
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
  /** What was built stays after the build for so many nanoseconds; `name` tells it from others, and is renewed so. */
  keep(name: string, layers: LayerStack, nanoseconds: bigint): Promise<void>;
  /** The layers from the `first` one on as one, none where they change nothing; `first` layers stay. */
  squash(layers: LayerStack, first: number, options: { readonly signal: AbortSignal }): Promise<LayerStack>;
  /** For what is made of the build. */
  readonly outputs: ImageOutputs;
}

/** What a builder needs of the image store. */
export interface ImageBuilding {
  begin(): BuildClaim;
  /** The layers of an image that is here. */
  layersOf(id: Digest): LayerStack;
  /** Lets go of what keep() holds under these names and removes what nothing else needs; resolves to the bytes freed. */
  forget(kept: ReadonlyMap<string, LayerStack>): Promise<number>;
}

export interface ImageBuildingOptions extends ImageOutputsOptions {
  readonly snapshots: Snapshotter;
  readonly claims: Claims;
  readonly index: ImageIndex;
  readonly clock: Clock;
}

/** chainIDs of layers and of all that are below each, base first. */
const chainsOf = (layers: LayerStack): readonly Digest[] =>
  layers.flatMap((_, index) => topOf(layers.slice(0, index + 1)) ?? []);

/** Active snapshots with this prefix belong to a build; one that no lease holds is left over. */
export const buildPrefix = 'build-';

export class LocalImageBuilding implements ImageBuilding {
  readonly #options: ImageBuildingOptions;

  constructor(options: ImageBuildingOptions) {
    this.#options = options;
  }

  begin(): BuildClaim {
    return new LocalBuildClaim(this.#options);
  }

  async forget(kept: ReadonlyMap<string, LayerStack>): Promise<number> {
    const { claims, content, snapshots } = this.#options;
    const blobs = new Set([...kept.values()].flatMap((layers) => layers.map(({ blob }) => blob.digest)));
    const chains = new Set([...kept.values()].flatMap(chainsOf));
    const sizes = new Map<Digest, number>();
    for (const chain of chains) if (snapshots.find(chain)) sizes.set(chain, await snapshots.disk(chain));
    for (const blob of blobs) sizes.set(blob, (await content.find(blob))?.size ?? 0);
    // A lease that is taken over and given up takes with it what nothing else holds.
    for (const name of kept.keys()) await claims.open(name)[Symbol.asyncDispose]();
    // From the longest chain down: a parent goes after its children.
    for (const chain of [...chains].reverse()) await claims.sweepSnapshot(chain);
    let bytes = 0;
    for (const chain of chains) if (!snapshots.find(chain)) bytes += sizes.get(chain) ?? 0;
    for (const blob of blobs) if (!(await content.find(blob))) bytes += sizes.get(blob) ?? 0;
    return bytes;
  }

  layersOf(id: Digest): LayerStack {
    const model = this.#options.index.byId(id)?.model;
    const diffIds = model?.config.rootfs.diff_ids ?? [];
    return (model?.layers ?? []).map((blob, n) => ({ blob, diffId: diffIds[n] ?? blob.digest }));
  }
}

class LocalBuildClaim implements BuildClaim {
  readonly #options: ImageBuildingOptions;
  readonly #claim: Claim;
  readonly #active = new Set<string>();
  readonly outputs: ImageOutputs;

  constructor(options: ImageBuildingOptions) {
    this.#options = options;
    this.#claim = options.claims.open();
    this.outputs = new LocalImageOutputs(options, this.#claim);
  }

  async use(layers: LayerStack): Promise<boolean> {
    const { content, snapshots } = this.#options;
    const top = topOf(layers);
    if (top === undefined) return true;
    for (const { blob } of layers) await this.#claim.blob(blob.digest);
    await this.#claim.snapshot(top);
    if (!snapshots.find(top)) return false;
    const found = await Promise.all(layers.map(({ blob }) => content.find(blob.digest)));
    return found.every((blob) => blob !== undefined);
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

  async keep(name: string, layers: LayerStack, nanoseconds: bigint): Promise<void> {
    await using claim = this.#options.claims.open(name, nanoseconds);
    const top = topOf(layers);
    for (const { blob } of layers) await claim.blob(blob.digest);
    if (top !== undefined) await claim.snapshot(top);
    claim.keep();
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
