import type { ImageHolding } from '#images';

/** The keys under which a ledger has what an image needs: a blob and a layer may have one digest. */
export const keysOf = ({ blobs, chainIds }: Pick<ImageHolding, 'blobs' | 'chainIds'>): readonly string[] => [
  ...[...blobs].map(blobKey),
  ...[...new Set(chainIds)].map(layerKey),
];

export const blobKey = (digest: string): string => `blob ${digest}`;
export const layerKey = (chainId: string): string => `layer ${chainId}`;

/** Things with a size that several holders may share: tells what is freed when holders go one after the other. */
export class Ledger {
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #holders = new Map<string, number>();

  constructor(sizes: ReadonlyMap<string, number>) {
    this.#sizes = sizes;
  }

  hold(keys: Iterable<string>): void {
    for (const key of keys) this.#holders.set(key, (this.#holders.get(key) ?? 0) + 1);
  }

  /** Answers the bytes that nobody holds any more. */
  release(keys: Iterable<string>): number {
    let freed = 0;
    for (const key of keys) {
      const left = (this.#holders.get(key) ?? 0) - 1;
      if (left > 0) this.#holders.set(key, left);
      else if (this.#holders.delete(key)) freed += this.#sizes.get(key) ?? 0;
    }
    return freed;
  }

  /** Bytes of these keys, and of those that more than one holder has. */
  share(keys: Iterable<string>): { readonly bytes: number; readonly shared: number } {
    let bytes = 0;
    let shared = 0;
    for (const key of keys) {
      const size = this.#sizes.get(key) ?? 0;
      bytes += size;
      if ((this.#holders.get(key) ?? 0) > 1) shared += size;
    }
    return { bytes, shared };
  }

  /** Bytes of everything that nobody holds. */
  unheld(): number {
    let bytes = 0;
    for (const [key, size] of this.#sizes) if (!this.#holders.has(key)) bytes += size;
    return bytes;
  }
}
