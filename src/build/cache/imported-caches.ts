import type { BlobSource, LayerStack } from '#images';
import type { Digest } from '#oci';
import type { SharedCache, SharedMount } from './cache-config.ts';

/** A step that another builder has done. */
export interface ImportedStep {
  /** chainID of the result, by which later steps know it. */
  readonly chain: Digest;
  /** What the result is made of; undefined where only its name is known. */
  readonly layers: LayerStack | undefined;
  /** Where the blobs of the layers are; undefined: here. */
  readonly from: BlobSource | undefined;
}

/** A cache that was read, and where its blobs are. */
export interface ImportedCache {
  readonly cache: SharedCache;
  readonly from: BlobSource | undefined;
}

/** What others have built, in the order in which a build was given it. Nothing of it is fetched before it is needed. */
export class ImportedCaches {
  readonly #steps = new Map<string, ImportedStep>();
  readonly #mounts = new Map<string, { readonly mount: SharedMount; readonly from: BlobSource }>();

  constructor(caches: readonly ImportedCache[]) {
    for (const { cache, from } of caches) {
      for (const { key, chain, layers } of cache.steps) {
        const known = this.#steps.get(key);
        // Layers are more than their name.
        if (!known || (!known.layers && layers)) this.#steps.set(key, { chain, layers, from });
      }
      for (const mount of cache.mounts) {
        if (from && !this.#mounts.has(mount.folder)) this.#mounts.set(mount.folder, { mount, from });
      }
    }
  }

  step(key: string): ImportedStep | undefined {
    return this.#steps.get(key);
  }

  mount(folder: string): { readonly mount: SharedMount; readonly from: BlobSource } | undefined {
    return this.#mounts.get(folder);
  }
}
