import type { Digest } from '#oci';
import type { ImageModel } from './stored-image.ts';

/** How many images need each blob and each layer, so that a look-up does not go through all of them. */
export class HeldByImages {
  readonly #blobs = new Map<Digest, number>();
  readonly #chains = new Map<Digest, number>();

  add(model: ImageModel): void {
    this.#count(model, 1);
  }

  /** Only what was added. */
  remove(model: ImageModel): void {
    this.#count(model, -1);
  }

  hasBlob(digest: Digest): boolean {
    return this.#blobs.has(digest);
  }

  hasChain(id: Digest): boolean {
    return this.#chains.has(id);
  }

  #count({ blobs, chainIds }: ImageModel, step: number): void {
    const change = (counts: Map<Digest, number>, key: Digest): void => {
      const count = (counts.get(key) ?? 0) + step;
      if (count > 0) counts.set(key, count);
      else counts.delete(key);
    };
    for (const digest of blobs) change(this.#blobs, digest);
    for (const id of new Set(chainIds)) change(this.#chains, id);
  }
}
