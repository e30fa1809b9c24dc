import { chainId, type Descriptor, type Digest } from '#oci';

/** One layer as an image lists it: its blob, and the digest of the uncompressed tar. */
export interface BuiltLayer {
  readonly diffId: Digest;
  readonly blob: Descriptor;
  /** When it was made, in RFC 3339; not known of layers that came with an image. */
  readonly createdAt?: string;
}

/** Layers over each other, base first; none at all for an empty file system. */
export type LayerStack = readonly BuiltLayer[];

/** chainID of the topmost layer; undefined for an empty file system. */
export const topOf = (layers: LayerStack): Digest | undefined => chainId(layers.map(({ diffId }) => diffId));
