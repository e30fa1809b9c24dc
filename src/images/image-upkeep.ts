import type { Digest } from '#oci';
import type { RemovedImage } from './images.ts';

/** What an image needs on disk, for who accounts for it or makes room. */
export interface ImageHolding {
  readonly id: Digest;
  /** Familiar; of one in the bin those that it had. */
  readonly names: readonly string[];
  /** Names with a tag, among them. */
  readonly tags: readonly string[];
  readonly chainIds: readonly Digest[];
  readonly blobs: ReadonlySet<Digest>;
  /** Nanoseconds since the epoch; of one without a tag undefined. */
  readonly lastTaggedAt: bigint | undefined;
  /** Set while it is in the bin. */
  readonly retired?: { readonly at: bigint; readonly batch: string };
}

export interface DiscardedImage {
  readonly removed: readonly RemovedImage[];
  /** Bytes that were freed on disk. */
  readonly bytes: number;
}

/** The side of the image store for who looks after the disk. */
export interface ImageUpkeep {
  /** Of every image, those in the bin too. */
  holdings(): readonly ImageHolding[];
  /**
   * Puts an image that no container uses into the bin: it loses its names and is found no more, and everything it needs
   * stays. Answers what a removal would have. Throws notFound, or conflict where a container uses it.
   */
  retire(id: Digest, batch: string): readonly RemovedImage[];
  /** Takes it out of the bin with its names, but for those that other images have by now (`taken`). Throws notFound. */
  reinstate(id: Digest): { readonly names: readonly string[]; readonly taken: readonly string[] };
  /** Removes an image for good, out of the bin too; `reason` is told in its event. Throws as retire() does. */
  discard(id: Digest, reason?: string): Promise<DiscardedImage>;
}
