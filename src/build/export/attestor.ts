import type { Descriptor } from '#oci';
import type { Subject } from '../attest/attestation.ts';
import type { BuiltPlatform } from './built-platform.ts';
import type { IndexEntry } from './image-index.ts';

/** An image that something is said about. */
export interface AttestedImage {
  readonly built: BuiltPlatform;
  readonly manifest: Descriptor;
  /** Blobs of the layers, as the manifest lists them. */
  readonly layers: readonly Descriptor[];
  /** As the client gave them. */
  readonly names: readonly string[];
  readonly isOci: boolean;
  /** Also what is to be said only in the place where the image is kept (BuildKit's `inline-only`). */
  readonly inline: boolean;
}

/** A manifest about an image. */
export interface AttestationManifest {
  readonly entry: IndexEntry;
  /** Configuration and layers of the manifest. */
  readonly content: readonly Descriptor[];
}

/** Says where images come from and what is in them. */
export interface Attestor {
  /** Whether there is anything to say: then each image comes in an index. */
  speaks(options: Pick<AttestedImage, 'inline'>): boolean;
  /** Puts manifests about an image; they follow all images in the index. */
  attest(image: AttestedImage): Promise<readonly AttestationManifest[]>;
  /** The statements as files that lie among those that they are about: their texts by their names. */
  files(built: BuiltPlatform, subjects: readonly Subject[]): ReadonlyMap<string, string>;
}
