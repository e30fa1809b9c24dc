import { isIndex, isManifest, isSchema1, mediaTypes, parseDigest, parseIndex, parseManifest } from '#oci';
import type { Descriptor, Digest } from '#oci';
import { messageOf } from '#kernel';
import { manifestInvalid } from './registry-error.ts';
import type { NewManifest } from './registry-store.ts';

/** Layers that lie elsewhere, by their own account, need not be here (image-spec layer.md, non-distributable layers). */
const isForeign = ({ mediaType }: Descriptor): boolean => /nondistributable|\.foreign\./.test(mediaType);

/**
 * What a registry needs to know of a manifest or index. `type` is the request's Content-Type. Throws MANIFEST_INVALID.
 */
export function readManifestDocument(bytes: Uint8Array, type: string, digest: Digest): NewManifest {
  try {
    return read(bytes, type, digest);
  } catch (error) {
    throw manifestInvalid(messageOf(error));
  }
}

/** Config and layers of a manifest that was taken before; none of an index. */
export function descriptorsIn(bytes: Uint8Array): readonly Descriptor[] {
  const document = JSON.parse(Buffer.from(bytes).toString()) as { manifests?: unknown };
  if (document.manifests !== undefined) return [];
  const { config, layers } = parseManifest(bytes);
  return [config, ...layers];
}

function read(bytes: Uint8Array, type: string, digest: Digest): NewManifest {
  const mediaType = mediaTypeOf(bytes, type);
  if (isSchema1(mediaType)) {
    throw new TypeError('manifests of schema 1 are not taken: push the image again with a current client');
  }
  const common = { digest, mediaType, size: bytes.length };
  if (isIndex(mediaType)) {
    const index = parseIndex(bytes);
    sameType(index.mediaType, mediaType);
    return {
      ...common,
      artifactType: index.artifactType === '' ? undefined : index.artifactType,
      annotations: index.annotations,
      subject: subjectOf(index.subject),
      blobs: [],
      manifests: index.manifests,
    };
  }
  if (!isManifest(mediaType))
    throw new TypeError(`media type ${JSON.stringify(mediaType)} is not one of a manifest`);
  const manifest = parseManifest(bytes);
  sameType(manifest.mediaType, mediaType);
  const layers = manifest.layers.filter((layer) => !isForeign(layer));
  return {
    ...common,
    // Empty counts as missing ("Listing Referrers").
    artifactType: manifest.artifactType || manifest.config.mediaType,
    annotations: manifest.annotations,
    subject: subjectOf(manifest.subject),
    blobs: [manifest.config, ...layers],
    manifests: [],
  };
}

/** The header's, without parameters; where there is none the document's own, or what its fields make it. */
function mediaTypeOf(bytes: Uint8Array, type: string): string {
  const given = type.split(';')[0]?.trim() ?? '';
  if (given !== '' && given !== 'application/json' && given !== 'application/octet-stream') return given;
  // Anything else than an object fails in the parser that follows.
  const document = JSON.parse(Buffer.from(bytes).toString()) as {
    mediaType?: unknown;
    manifests?: unknown;
  } | null;
  if (typeof document?.mediaType === 'string') return document.mediaType;
  return document?.manifests === undefined ? mediaTypes.ociManifest : mediaTypes.ociIndex;
}

function sameType(own: string | undefined, mediaType: string): void {
  if (own !== undefined && own !== '' && own !== mediaType) {
    throw new TypeError(
      `the manifest's mediaType is ${JSON.stringify(own)}, the request's ${JSON.stringify(mediaType)}`,
    );
  }
}

function subjectOf(subject: unknown): Digest | undefined {
  if (typeof subject !== 'object' || subject === null || !('digest' in subject)) return undefined;
  if (typeof subject.digest !== 'string') throw new TypeError('subject.digest must be a string');
  return parseDigest(subject.digest);
}
