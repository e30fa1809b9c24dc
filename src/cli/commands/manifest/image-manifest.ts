import { parseManifest, type Descriptor, type Digest, type Platform } from '#oci';

const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';
const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json';

/** A manifest that is to go into a list, as the store of Docker's command line keeps it. */
export interface ImageManifest {
  readonly Ref: string;
  readonly Descriptor: {
    readonly mediaType: string;
    readonly digest: Digest;
    readonly size: number;
    readonly platform?: Platform;
  };
  /** The manifest's bytes in base64. */
  readonly Raw: string;
  readonly SchemaV2Manifest?: object;
  readonly OCIManifest?: object;
}

/** Fields in the order that Go writes them. */
const describe = ({ mediaType, digest, size, urls, annotations, platform }: Descriptor): object => ({
  mediaType,
  digest,
  size,
  ...(urls && { urls }),
  ...(annotations && { annotations }),
  ...(platform && { platform: orderedPlatform(platform) }),
});

const orderedPlatform = (platform: Platform): object => {
  const { architecture, os, variant, 'os.version': version, 'os.features': features } = platform;
  return {
    architecture,
    os,
    ...(version !== undefined && version !== '' && { 'os.version': version }),
    ...(features && features.length > 0 && { 'os.features': features }),
    ...(variant !== undefined && variant !== '' && { variant }),
  };
};

/** What is kept and shown of a manifest. Throws for what is none. */
export function imageManifest(
  ref: string,
  document: { readonly mediaType: string; readonly digest: Digest; readonly bytes: Uint8Array },
  platform: Platform,
): ImageManifest {
  const { mediaType, digest, bytes } = document;
  const manifest = parseManifest(bytes);
  const shown = {
    schemaVersion: 2,
    mediaType,
    config: describe(manifest.config),
    layers: manifest.layers.map(describe),
    ...(manifest.annotations && { annotations: manifest.annotations }),
  };
  return {
    Ref: ref,
    // Of the same fields, in Go's order.
    Descriptor: describe({ mediaType, digest, size: bytes.length, platform }) as ImageManifest['Descriptor'],
    Raw: Buffer.from(bytes).toString('base64'),
    ...(mediaType === ociManifest ? { OCIManifest: shown } : { SchemaV2Manifest: shown }),
  };
}

/** The same with another platform. */
export const withPlatform = (manifest: ImageManifest, platform: Platform): ImageManifest => {
  const { mediaType, digest, size } = manifest.Descriptor;
  const Descriptor = { mediaType, digest, size, platform: orderedPlatform(platform) as Platform };
  return { ...manifest, Descriptor };
};

/** The list of these manifests: its kind is that of the first one. */
export function manifestList(manifests: readonly ImageManifest[]): { mediaType: string; text: string } {
  const mediaType = manifests[0]?.Descriptor.mediaType === ociManifest ? ociIndex : dockerList;
  const entries = manifests.map(({ Descriptor: { mediaType: type, size, digest, platform } }) => ({
    mediaType: type,
    size,
    digest,
    ...(platform && { platform: orderedPlatform(platform) }),
  }));
  return { mediaType, text: JSON.stringify({ schemaVersion: 2, mediaType, manifests: entries }, null, 3) };
}
