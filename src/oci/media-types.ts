/** Media types of image-spec media-types.md and of Docker's schema 2. */
export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerForeignLayerGzip: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  /** What registries of 2015 and before hold; refused by name. */
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
} as const;

const indexes = new Set<string>([mediaTypes.ociIndex, mediaTypes.dockerManifestList]);
const manifests = new Set<string>([mediaTypes.ociManifest, mediaTypes.dockerManifest]);
const layers = new Set<string>([
  mediaTypes.ociLayer,
  mediaTypes.ociLayerGzip,
  mediaTypes.ociLayerZstd,
  mediaTypes.dockerLayer,
  mediaTypes.dockerLayerGzip,
  mediaTypes.dockerForeignLayerGzip,
]);

/** An OCI index or a Docker manifest list. */
export const isIndex = (mediaType: string): boolean => indexes.has(mediaType);

/** An OCI manifest or a Docker schema 2 manifest. */
export const isManifest = (mediaType: string): boolean => manifests.has(mediaType);

const configs = new Set<string>([
  mediaTypes.ociConfig,
  mediaTypes.dockerConfig,
  // Of registries and tools that were careless once.
  'application/octet-stream',
  'application/json',
  'text/html',
  '',
]);

/** The configuration of an image, and not of another artifact. */
export const isImageConfig = (mediaType: string): boolean => configs.has(mediaType);

/** A layer that can be unpacked into a root file system. */
export const isLayer = (mediaType: string): boolean => layers.has(mediaType);

export const isSchema1 = (mediaType: string): boolean =>
  mediaType === mediaTypes.dockerSchema1 || mediaType === mediaTypes.dockerSchema1Signed;
