import type { Archiver, ArchiveLimits } from '#archive';
import type { ContentStore } from '#content';
import { invalidArgument, newId, SingleFlight } from '#kernel';
import { isLayer, type Descriptor, type Digest, type ImageConfig } from '#oci';
import type { Snapshotter } from '#snapshots';
import type { Claim, Claims } from './claims.ts';

import type { ImageModel } from './stored-image.ts';

/** Active snapshots with this prefix belong to an unpacking; one that no claim holds is left over. */
export const unpackPrefix = 'unpack-';

export interface LayerUnpackerOptions {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly archiver: Archiver;
  readonly claims: Claims;
  /** The most bytes that the files of one layer may have; 100 GB by default. */
  readonly maximumLayer?: () => number;
}

const usualMaximum = 100e9;
/** More are nobody's layer: each costs an inode. */
const maximumEntries = 10_000_000;

/** How far an image's layers are, by their place from the base. */
export interface UnpackWatcher {
  /** Resolves once the blob of the layer is in the content store. */
  ready?(layer: number): Promise<void>;
  /** Not called for a layer that was unpacked before. */
  started?(layer: number): void;
  finished?(layer: number): void;
}

/** Turns layer blobs into committed snapshots named by chainID; concurrent callers share the work on a layer. */
export class LayerUnpacker {
  readonly #options: LayerUnpackerOptions;
  readonly #flights = new SingleFlight<undefined>();

  constructor(options: LayerUnpackerOptions) {
    this.#options = options;
  }

  /**
   * Unpacks what is not unpacked yet, base first, and resolves to the bytes of all layers. Snapshots are held by
   * the claim, and on the disk. Throws invalidArgument for a layer that is broken or not what the configuration says.
   */
  async unpack(
    image: Pick<ImageModel, 'layers' | 'chainIds'> & { readonly config: Pick<ImageConfig, 'rootfs'> },
    claim: Claim,
    options: { signal: AbortSignal; watcher?: UnpackWatcher },
  ): Promise<number> {
    const { snapshots } = this.#options;
    const { signal, watcher } = options;
    let size = 0;
    for (const [n, chainId] of image.chainIds.entries()) {
      const layer = image.layers[n];
      const diffId = image.config.rootfs.diff_ids[n];
      if (!layer || !diffId) throw invalidArgument('invalid image: it has more diffIDs than layers');
      await claim.snapshot(chainId);
      await watcher?.ready?.(n);
      if (!snapshots.find(chainId)) {
        watcher?.started?.(n);
        const parent = image.chainIds[n - 1];
        const task = { layer, diffId, chainId, parent, n };
        await this.#flights.run(chainId, (each) => this.#unpackLayer(task, each), signal);
      }
      watcher?.finished?.(n);
      size += snapshots.find(chainId)?.size ?? 0;
    }
    await snapshots.flush();
    return size;
  }

  #limits(): ArchiveLimits {
    return { size: this.#options.maximumLayer?.() ?? usualMaximum, entries: maximumEntries };
  }

  async #unpackLayer(
    task: { layer: Descriptor; diffId: Digest; chainId: Digest; parent: Digest | undefined; n: number },
    signal: AbortSignal,
  ): Promise<undefined> {
    const { content, snapshots, archiver, claims } = this.#options;
    const { layer, diffId, chainId, parent, n } = task;
    if (!isLayer(layer.mediaType)) {
      throw invalidArgument(`unsupported media type ${layer.mediaType} of layer ${n}`);
    }
    // Of its own, since the caller that began may leave before the others.
    await using claim = claims.open();
    const key = `${unpackPrefix}${newId()}`;
    await claim.blob(layer.digest);
    if (parent) await claim.snapshot(parent);
    await claim.snapshot(chainId);
    await claim.snapshot(key);
    const mounts = await snapshots.prepare(key, parent);
    try {
      const path = await content.path(layer.digest);
      const applied = await archiver.applyLayer({ path }, { mounts, signal, limits: this.#limits() });
      if (applied.diffId !== diffId) {
        throw invalidArgument(`invalid diffID for layer ${n}: expected "${diffId}", got "${applied.diffId}"`);
      }
      signal.throwIfAborted();
      await snapshots.commit(chainId, key, { size: applied.size });
    } catch (error) {
      await snapshots.remove(key);
      throw error;
    }
    return undefined;
  }
}
