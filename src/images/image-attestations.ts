import type { ContentStore } from '#content';
import { parseManifest, type Descriptor, type Digest } from '#oci';

/** A statement that comes with an image, such as how it was built. */
export interface ImageAttestation {
  /** Of the statement's blob. */
  readonly descriptor: Descriptor;
  /** URI of what kind of statement it is. */
  readonly predicateType: string;
  /** The statement itself, where it was asked for. */
  readonly statement?: unknown;
}

export interface AttestationOptions {
  /** Statements of these kinds only; all without any. */
  readonly types: readonly string[];
  /** The statements come along, and not only what they are. */
  readonly whole: boolean;
}

/** What is needed of a manifest that an index lists. */
interface ListedManifest {
  readonly kind: string;
  readonly descriptor: Descriptor;
  /** Digest of the manifest that it is about. */
  readonly subject?: string;
  /** Whether every blob of it is here. */
  readonly available: boolean;
}

const typeAnnotation = 'in-toto.io/predicate-type';
/** Bytes; a list of packages has a few hundred for each. */
const largestStatement = 256 * 1024 * 1024;

/** What is said about one manifest of an image; what is not here is left out. */
export async function readAttestations(
  content: ContentStore,
  manifests: readonly ListedManifest[],
  about: Digest,
  { types, whole }: AttestationOptions,
): Promise<readonly ImageAttestation[]> {
  const found: ImageAttestation[] = [];
  for (const { kind, subject, available, descriptor } of manifests) {
    if (kind !== 'attestation' || subject !== about || !available) continue;
    for (const layer of parseManifest(await content.read(descriptor.digest)).layers) {
      const predicateType = layer.annotations?.[typeAnnotation];
      if (predicateType === undefined || (types.length > 0 && !types.includes(predicateType))) continue;
      const attestation = { descriptor: layer, predicateType };
      if (!whole) found.push(attestation);
      else {
        const text = Buffer.from(await content.read(layer.digest, largestStatement)).toString();
        found.push({ ...attestation, statement: JSON.parse(text) as unknown });
      }
    }
  }
  return found;
}
