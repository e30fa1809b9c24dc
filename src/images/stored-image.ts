import type { ContentStore } from '#content';
import { invalidArgument, notFound } from '#kernel';
import {
  chainIds,
  isImageConfig,
  isIndex,
  isManifest,
  isSchema1,
  parseImageConfig,
  parseIndex,
  parseManifest,
  rankByPlatform,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type Manifest,
  type Platform,
} from '#oci';

/** An image's documents, read and checked against each other, and what follows from them. */
export interface ImageModel {
  /** Digest of the configuration. */
  readonly id: Digest;
  /** A manifest or an index. */
  readonly target: Descriptor;
  readonly manifest: Descriptor;
  readonly config: ImageConfig;
  /** The configuration's descriptor, as the manifest has it. */
  readonly configuration: Descriptor;
  /** Layer blobs, base first. */
  readonly layers: readonly Descriptor[];
  /** chainID of each layer, base first. */
  readonly chainIds: readonly Digest[];
  /** Every blob that the target leads to. */
  readonly blobs: ReadonlySet<Digest>;
}

/** Indexes nested deeper than this are refused. */
const maxDepth = 3;

/**
 * Reads what `target` leads to and chooses the manifest for a platform; all documents are in the content store.
 * Throws notFound where one is missing or no platform suits, invalidArgument where documents contradict each other.
 */
export async function readImageModel(
  content: ContentStore,
  target: Descriptor,
  platform: Platform,
  chosen?: Descriptor,
): Promise<ImageModel> {
  const blobs = new Set<Digest>();
  const descriptor = chosen ?? (await chooseManifest(content, target, platform, target.digest));
  const manifest = parseManifest(await content.read(descriptor.digest));
  if (isIndex(target.mediaType)) await collectIndexBlobs(content, target.digest, blobs, 0);
  blobs.add(target.digest);
  collectManifestBlobs(descriptor.digest, manifest, blobs);
  const config = await readConfig(content, manifest);
  return modelOf(target, descriptor, manifest, config, blobs);
}

function modelOf(
  target: Descriptor,
  descriptor: Descriptor,
  manifest: Manifest,
  config: ImageConfig,
  blobs: ReadonlySet<Digest>,
): ImageModel {
  return {
    id: manifest.config.digest,
    target,
    manifest: descriptor,
    config,
    configuration: manifest.config,
    layers: manifest.layers,
    chainIds: chainIds(config.rootfs.diff_ids),
    blobs,
  };
}

/** The configuration of a manifest. Throws invalidArgument where it does not fit the layers. */
export async function readConfig(content: ContentStore, manifest: Manifest): Promise<ImageConfig> {
  const { mediaType } = manifest.config;
  if (!isImageConfig(mediaType)) throw invalidArgument(`unsupported media type ${mediaType}`);
  const config = parseImageConfig(await content.read(manifest.config.digest));
  const [layers, diffIds] = [manifest.layers.length, config.rootfs.diff_ids.length];
  if (layers !== diffIds) {
    throw invalidArgument(
      `invalid image: its manifest has ${layers} layers, its configuration has ${diffIds} diffIDs`,
    );
  }
  return config;
}

/** The best manifest for a platform. `name` is what errors call the image. */
export async function chooseManifest(
  content: ContentStore,
  target: Descriptor,
  platform: Platform,
  name: string,
): Promise<Descriptor> {
  let descriptor = target;
  for (let depth = 0; depth <= maxDepth; depth += 1) {
    checkDocumentType(descriptor, name);
    if (!isIndex(descriptor.mediaType)) return descriptor;
    descriptor = selectPlatform(parseIndex(await content.read(descriptor.digest)).manifests, platform);
  }
  throw invalidArgument(`invalid image ${name}: its indexes are nested too deeply`);
}

/** The entry of an index for a platform. Throws notFound in Docker's words. */
export function selectPlatform(manifests: readonly Descriptor[], platform: Platform): Descriptor {
  const [best] = rankByPlatform(
    platform,
    manifests.filter(({ mediaType }) => isManifest(mediaType) || isIndex(mediaType)),
  );
  if (best) return best;
  const { os, architecture, variant } = platform;
  const wanted = [os, architecture, variant].filter((part) => part !== undefined).join('/');
  throw notFound(`no matching manifest for ${wanted} in the manifest list entries`);
}

/** Refuses what is neither a manifest nor an index. */
export function checkDocumentType({ mediaType }: Descriptor, name: string): void {
  if (isSchema1(mediaType)) {
    throw invalidArgument(
      `${name} is in the retired image format "Docker Image manifest version 2, schema 1": ` +
        'its author needs to push it again with a current client',
    );
  }
  if (!isIndex(mediaType) && !isManifest(mediaType)) {
    throw invalidArgument(`unsupported manifest media type ${mediaType} of ${name}`);
  }
}

function collectManifestBlobs(digest: Digest, manifest: Manifest, blobs: Set<Digest>): void {
  blobs.add(digest).add(manifest.config.digest);
  for (const layer of manifest.layers) blobs.add(layer.digest);
}

/** Everything an index leads to, as far as it is here: other platforms' manifests often are not. */
async function collectIndexBlobs(
  content: ContentStore,
  digest: Digest,
  blobs: Set<Digest>,
  depth: number,
): Promise<void> {
  blobs.add(digest);
  if (depth > maxDepth) return;
  for (const entry of parseIndex(await content.read(digest)).manifests) {
    if (blobs.has(entry.digest) || !(await content.find(entry.digest))) continue;
    if (isIndex(entry.mediaType)) await collectIndexBlobs(content, entry.digest, blobs, depth + 1);
    else if (isManifest(entry.mediaType)) {
      collectManifestBlobs(entry.digest, parseManifest(await content.read(entry.digest)), blobs);
    } else blobs.add(entry.digest);
  }
}

/** The first of these blobs that the store has not. */
export async function findMissingBlob(
  content: ContentStore,
  digests: Iterable<Digest>,
): Promise<Digest | undefined> {
  for (const digest of digests) {
    if (!(await content.find(digest))) return digest;
  }
  return undefined;
}
