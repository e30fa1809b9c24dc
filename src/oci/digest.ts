import { hash } from 'node:crypto';
import { invalidArgument } from '#kernel';
import type { Digest } from './types.ts';

export type DigestAlgorithm = 'sha256' | 'sha384' | 'sha512';

const hexLengths: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha384: 96, sha512: 128 };
const shape = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

const isAlgorithm = (text: string): text is DigestAlgorithm => Object.hasOwn(hexLengths, text);

/** What is wrong with a digest, in Docker's words; undefined when nothing is (image-spec descriptor.md#digests). */
function flawOf(text: string): string | undefined {
  const colon = text.indexOf(':');
  if (colon <= 0 || colon + 1 === text.length) return 'invalid checksum digest format';
  const algorithm = text.slice(0, colon);
  if (!isAlgorithm(algorithm)) {
    return shape.test(text) ? 'unsupported digest algorithm' : 'invalid checksum digest format';
  }
  const encoded = text.slice(colon + 1);
  if (encoded.length !== hexLengths[algorithm]) return 'invalid checksum digest length';
  return /^[0-9a-f]+$/.test(encoded) ? undefined : 'invalid checksum digest format';
}

export const isDigest = (text: string): text is Digest => flawOf(text) === undefined;

/** Throws invalidArgument with Docker's text (`invalid checksum digest length` and kin). */
export function parseDigest(text: string): Digest {
  const flaw = flawOf(text);
  if (flaw !== undefined) throw invalidArgument(flaw);
  // flawOf() has just checked what the brand promises.
  return text as Digest;
}

/** The digest of bytes in memory. Blocks for about 1 ms per MB: not for layers. */
export function digestOf(data: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  // The shape is right by construction.
  return `${algorithm}:${hash(algorithm, data, 'hex')}` as Digest;
}

export function algorithmOf(digest: Digest): DigestAlgorithm {
  const algorithm = digest.slice(0, digest.indexOf(':'));
  if (!isAlgorithm(algorithm)) throw invalidArgument('unsupported digest algorithm');
  return algorithm;
}

export const hexOf = (digest: Digest): string => digest.slice(digest.indexOf(':') + 1);
