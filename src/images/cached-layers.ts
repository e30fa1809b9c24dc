import type { ContentStore } from '#content';
import { isKind, Limiter } from '#kernel';
import type { Leases } from '#metadata';
import { chainIds, type Descriptor, type Digest } from '#oci';
import type { Snapshotter } from '#snapshots';
import type { BlobDownloads, BlobSource } from './blob-downloads.ts';
import type { Claim, Claims } from './claims.ts';
import type { BuiltLayer, LayerStack } from './layer-stack.ts';
import type { ImageIndex } from './image-index.ts';
import type { LayerUnpacker } from './layer-unpacker.ts';

/** A layer that a builder keeps, on top of others, and what it takes on the disk. */
export interface LayerUsage {
  readonly chainId: Digest;
  readonly parent: Digest | undefined;
  readonly blob: Digest;
  /** Bytes in allocated blocks: what goes with the builder's last word for it; of a shared one all that it takes. */
  readonly bytes: number;
  /** Images need all of it too. */
  readonly isShared: boolean;
  /** A build works with it now. */
  readonly inUse: boolean;
}

export interface CachedLayersOptions {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly leases: Leases;
  readonly claims: Claims;
  readonly index: ImageIndex;
  readonly downloads: BlobDownloads;
  readonly unpacker: LayerUnpacker;
}

const block = 4096;
const atOnce = 2;

/** Layers that belong to no image yet, or no more. */
export class CachedLayers {
  readonly #options: CachedLayersOptions;

  constructor(options: CachedLayersOptions) {
    this.#options = options;
  }

  /** Of every layer in these stacks, by chainID, parents first. What two layers have in common counts once. */
  async usage(
    stacks: Iterable<LayerStack>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<ReadonlyMap<Digest, LayerUsage>> {
    const { leases } = this.#options;
    const leased = leases.items('snapshot', { underWay: true });
    const used = new Set<Digest>();
    const found = new Map<Digest, { readonly layer: BuiltLayer; readonly parent: Digest | undefined }>();
    for (const layers of stacks) {
      const chains = chainsOf(layers);
      const inUse = chains.some((chain) => leased.has(chain));
      for (const [n, chain] of chains.entries()) {
        const layer = layers[n];
        if (layer && !found.has(chain)) found.set(chain, { layer, parent: chains[n - 1] });
        if (inUse) used.add(chain);
      }
    }
    const counted = new Set<Digest>();
    const limiter = new Limiter(atOnce);
    const usages = await Promise.all(
      [...found].map(([chainId, { layer, parent }]) =>
        limiter.run(async () => {
          const size = await this.#size(chainId, layer.blob.digest, counted, signal);
          return size && { chainId, parent, blob: layer.blob.digest, ...size, inUse: used.has(chainId) };
        }),
      ),
    );
    return new Map(usages.flatMap((usage) => (usage ? [[usage.chainId, usage] as const] : [])));
  }

  /** Undefined where the layer is gone. */
  async #size(
    chain: Digest,
    blob: Digest,
    counted: Set<Digest>,
    signal: AbortSignal,
  ): Promise<Pick<LayerUsage, 'bytes' | 'isShared'> | undefined> {
    const { snapshots, content, index } = this.#options;
    const isFirst = !counted.has(blob);
    counted.add(blob);
    try {
      const unpacked = await snapshots.disk(chain, { signal });
      const packed = isFirst ? Math.ceil(((await content.find(blob))?.size ?? 0) / block) * block : 0;
      const own = (index.holdsChain(chain) ? 0 : unpacked) + (index.holdsBlob(blob) ? 0 : packed);
      const isShared = index.holdsChain(chain) && (packed === 0 || index.holdsBlob(blob));
      return { bytes: isShared ? unpacked + packed : own, isShared };
    } catch (error) {
      if (isKind(error, 'notFound')) return undefined;
      throw error;
    }
  }

  /** Removes what nothing holds any more of layers that the builder has let go of. */
  async sweep(stacks: Iterable<LayerStack>): Promise<void> {
    const { claims } = this.#options;
    const all = [...stacks];
    for (const digest of new Set(all.flatMap((layers) => layers.map(({ blob }) => blob.digest)))) {
      await claims.sweepBlob(digest);
    }
    // From the longest chain down: a parent goes after its children.
    const chains = new Set(all.flatMap((layers) => chainsOf(layers).map((chain, n) => ({ chain, n }))));
    for (const { chain } of [...chains].sort((a, b) => b.n - a.n)) await claims.sweepSnapshot(chain);
  }

  /** Brings a blob in that is elsewhere; resolves to its file. */
  async bring(
    blob: Descriptor,
    from: BlobSource,
    claim: Claim,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<string> {
    const { content, downloads } = this.#options;
    await claim.blob(blob.digest);
    if (!(await content.find(blob.digest))) await downloads.fetch(from, blob, { signal });
    return content.pathOfWhole(blob.digest);
  }

  /** Brings layers in that are elsewhere; resolves to them as they are here, held by the claim. */
  async receive(
    layers: LayerStack,
    from: BlobSource,
    claim: Claim,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<LayerStack> {
    const { content, downloads, unpacker } = this.#options;
    const here = await Promise.all(layers.map((layer) => this.#known(layer)));
    const chains = chainsOf(here);
    await claim.all({ blobs: here.map(({ blob }) => blob.digest), snapshots: chains });
    const missing = await Promise.all(
      here.map(async ({ blob }) => ((await content.find(blob.digest)) ? [] : [blob])),
    );
    await Promise.all(missing.flat().map((blob) => downloads.fetch(from, blob, { signal })));
    const rootfs = { type: 'layers' as const, diff_ids: here.map(({ diffId }) => diffId) };
    const blobs = here.map(({ blob }) => blob);
    await unpacker.unpack({ layers: blobs, chainIds: chains, config: { rootfs } }, claim, { signal });
    return here;
  }

  /** The layer by the blob that an image here has of it, so that none comes twice in two forms. */
  async #known(layer: BuiltLayer): Promise<BuiltLayer> {
    const blob = this.#options.index.layerOf(layer.diffId);
    return blob && (await this.#options.content.find(blob.digest)) ? { ...layer, blob } : layer;
  }
}

/** chainIDs of layers and of all that are below each, base first. */
const chainsOf = (layers: LayerStack): readonly Digest[] => chainIds(layers.map(({ diffId }) => diffId));
