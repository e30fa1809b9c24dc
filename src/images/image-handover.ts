import type { Readable } from 'node:stream';
import type { Descriptor, Digest } from '#oci';
import type { TransferOptions } from './images.ts';

/** What a host has of an image, as it tells another one. */
export interface ImageOffer {
  /** Digest of the configuration. */
  readonly id: Digest;
  readonly target: Descriptor;
  /** The manifest that is unpacked on the offering host: of its platform, where the target is an index. */
  readonly manifest: Descriptor;
  /** Canonical names that go along. */
  readonly names: readonly string[];
  /** Of `manifest`, base first. */
  readonly layers: readonly Descriptor[];
  /** All else that the target leads to and that is there: documents, and layers of other platforms. */
  readonly others: readonly Pick<Descriptor, 'digest' | 'size'>[];
}

/** A blob that the receiver lacks, from `offset` bytes on. `receipt` says which receipt waits for it. */
export interface WantedBlob {
  readonly receipt: string;
  readonly digest: Digest;
  readonly offset: number;
}

export interface ReceiveOptions extends Pick<TransferOptions, 'signal' | 'report'> {
  /** Whose words the progress has. */
  readonly words: 'push' | 'pull';
  /** Asks for a blob, which deliver() is to bring; asked again when a delivery broke off. */
  want(blob: WantedBlob): void;
}

/**
 * Images from host to host without a registry. The receiver is told what there is, asks for the blobs it lacks, and
 * gets each by a delivery of its own: whoever can reach both hosts carries them.
 */
export interface ImageHandover {
  /** `compress`: layers kept plain are compressed first, as for a push. Throws notFound. */
  offer(reference: string, options: { compress: boolean; signal: AbortSignal }): Promise<ImageOffer>;
  /** A blob of an offer. Throws notFound. */
  read(digest: Digest, offset: number): Promise<Readable>;
  /**
   * Takes an image in, with its target as it is. When the sender goes away, what has arrived is kept for a while, so
   * that another receipt of the same image goes on there. Throws invalidArgument for an offer that does not hold.
   */
  receive(offer: ImageOffer, options: ReceiveOptions): Promise<void>;
  /** Resolves once the bytes are taken. Throws notFound where nobody waits for them. */
  deliver(blob: WantedBlob, bytes: Readable): Promise<void>;
}
