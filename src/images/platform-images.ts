import type { ContentStore } from '#content';
import { KeyedLock, notFound } from '#kernel';
import {
  formatPlatform,
  isImageConfig,
  isIndex,
  isManifest,
  matchesPlatform,
  parseImageConfig,
  parseIndex,
  parseManifest,
  rankByPlatform,
  type Descriptor,
  type Digest,
  type Manifest,
  type Platform,
} from '#oci';
import type { Snapshotter } from '#snapshots';
import type { Claims } from './claims.ts';
import type { ImageIndex, StoredImage } from './image-index.ts';
import type { ImageIntake } from './image-intake.ts';
import type { ImageManifest, RemovedImage } from './images.ts';
import { findMissingBlob } from './stored-image.ts';

export interface PlatformImagesOptions {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly claims: Claims;
  readonly index: ImageIndex;
  readonly intake: ImageIntake;
}

const attestationType = 'attestation-manifest';
const referenceType = 'vnd.docker.reference.type';
const referenceDigest = 'vnd.docker.reference.digest';

/**
 * The platforms of an image that came as an index. One of them is the image that the name points at; others are here
 * when an archive brought them, and are unpacked when they are used first.
 */
export class PlatformImages {
  readonly #options: PlatformImagesOptions;
  readonly #locks = new KeyedLock();

  constructor(options: PlatformImagesOptions) {
    this.#options = options;
  }

  /**
   * The image, or the one of the same index, that runs on this platform. Throws notFound in Docker's words, on which
   * clients pull. `name` is what the error calls it.
   */
  async select(
    image: StoredImage,
    platform: Platform,
    name: string,
    signal: AbortSignal,
  ): Promise<StoredImage> {
    return (await this.trySelect(image, platform, signal)) ?? refuse(name, image, platform);
  }

  /** As select(); undefined where there is none. */
  async trySelect(
    image: StoredImage,
    platform: Platform,
    signal: AbortSignal,
  ): Promise<StoredImage | undefined> {
    return this.find(image, platform) ?? this.#unpacked(image.model.target, platform, signal);
  }

  /** As select(), of what is unpacked. */
  find(image: StoredImage, platform: Platform): StoredImage | undefined {
    if (matchesPlatform(platform, image.record.config)) return image;
    const [best] = rankByPlatform(
      platform,
      this.#ofTarget(image.model.target.digest).map((one) => ({ one, platform: one.record.config })),
    );
    return best?.one;
  }

  #ofTarget(target: Digest): readonly StoredImage[] {
    return this.#options.index.images().filter(({ model }) => model.target.digest === target);
  }

  /** Removes the blobs of a platform that is not unpacked. Throws notFound in Docker's words. */
  async discard(image: StoredImage, platform: Platform, name: string): Promise<readonly RemovedImage[]> {
    const { index, claims } = this.#options;
    const { target } = image.model;
    const entry = await this.#findEntry(target, platform);
    if (!entry) refuse(name, image, platform);
    const kept = new Set<Digest>([target.digest]);
    const own = await this.#blobsOf(entry);
    for (const other of parseIndex(await this.#options.content.read(target.digest)).manifests) {
      if (other.digest !== entry.digest) for (const digest of await this.#blobsOf(other)) kept.add(digest);
    }
    const gone = own.filter((digest) => !kept.has(digest));
    for (const { model, record } of this.#ofTarget(target.digest)) {
      const blobs = new Set([...model.blobs].filter((digest) => !gone.includes(digest)));
      index.add({ ...model, blobs }, record.size, []);
    }
    for (const digest of gone) await claims.sweepBlob(digest);
    return [{ Deleted: entry.digest }];
  }

  /** The manifest, its configuration and its layers, as far as it is here. */
  async #blobsOf({ digest, mediaType }: Descriptor): Promise<readonly Digest[]> {
    const { content } = this.#options;
    if (!isManifest(mediaType) || !(await content.find(digest))) return [];
    const { config, layers } = parseManifest(await content.read(digest));
    return [digest, config.digest, ...layers.map((layer) => layer.digest)];
  }

  /** The best entry of an index for the platform whose blobs are all here. */
  async #findEntry(target: Descriptor, platform: Platform): Promise<Descriptor | undefined> {
    const { content } = this.#options;
    if (!isIndex(target.mediaType)) return undefined;
    const entries = parseIndex(await content.read(target.digest)).manifests.filter(
      (entry) => isManifest(entry.mediaType) && entry.platform !== undefined,
    );
    for (const entry of rankByPlatform(platform, entries)) {
      const blobs = await this.#blobsOf(entry);
      if (blobs.length > 0 && !(await findMissingBlob(content, blobs))) return entry;
    }
    return undefined;
  }

  /** Makes an image of the entry for the platform, if all of its blobs are here. */
  async #unpacked(
    target: Descriptor,
    platform: Platform,
    signal: AbortSignal,
  ): Promise<StoredImage | undefined> {
    const { claims, intake } = this.#options;
    using _lock = await this.#locks.acquire(target.digest, { signal });
    const manifest = await this.#findEntry(target, platform);
    if (!manifest) return undefined;
    await using claim = claims.open();
    return await intake.admit(target, { manifest, names: [], platform, claim, signal });
  }

  /** Each manifest that the image's target leads to, those of other platforms and attestations too. */
  async manifests({ model }: StoredImage): Promise<readonly ImageManifest[]> {
    const { target } = model;
    if (!isIndex(target.mediaType)) return [await this.#describe(target)];
    const found: ImageManifest[] = [];
    for (const entry of parseIndex(await this.#options.content.read(target.digest)).manifests) {
      found.push(await this.#describe(entry));
    }
    return found;
  }

  async #describe(descriptor: Descriptor): Promise<ImageManifest> {
    const { content } = this.#options;
    const kind = kindOf(descriptor);
    const subject = kind === 'attestation' ? descriptor.annotations?.[referenceDigest] : undefined;
    const common = { descriptor, kind, ...(subject !== undefined && { subject }) };
    const absent = { ...common, available: false, contentSize: 0, unpackedSize: 0 };
    const platform = kind === 'image' && descriptor.platform ? { platform: descriptor.platform } : {};
    if (!(await content.find(descriptor.digest)) || !isManifest(descriptor.mediaType)) {
      return { ...absent, ...platform };
    }
    const manifest = parseManifest(await content.read(descriptor.digest));
    const isArtifact = kind === 'image' && !isImageConfig(manifest.config.mediaType);
    const blobs = new Set([
      descriptor.digest,
      manifest.config.digest,
      ...manifest.layers.map((l) => l.digest),
    ]);
    let contentSize = 0;
    let available = true;
    for (const digest of blobs) {
      const info = await content.find(digest);
      if (info) contentSize += info.size;
      else available = false;
    }
    const here = { ...common, available, contentSize, unpackedSize: 0 };
    if (isArtifact) return { ...here, kind: 'unknown' };
    return kind === 'image' ? { ...here, ...platform, ...(await this.#unpacking(manifest)) } : here;
  }

  /** Of an image: its id and platform, and what its layers take that are unpacked. */
  async #unpacking(
    manifest: Manifest,
  ): Promise<Partial<Pick<ImageManifest, 'image' | 'platform' | 'unpackedSize'>>> {
    const { content, index } = this.#options;
    const id = manifest.config.digest;
    const known = index.byId(id);
    if (known) {
      const unpackedSize = known.model.chainIds.reduce((sum, chain) => sum + this.#sizeOf(chain), 0);
      return { image: id, platform: platformOf(known.record.config), unpackedSize };
    }
    if (!isImageConfig(manifest.config.mediaType) || !(await content.find(id))) return {};
    return { image: id, platform: platformOf(parseImageConfig(await content.read(id))) };
  }

  #sizeOf(chain: Digest): number {
    return this.#options.snapshots.find(chain)?.size ?? 0;
  }
}

/** As the descriptor says it, since its blob is often not here. */
function kindOf({ mediaType, annotations, artifactType }: Descriptor): ImageManifest['kind'] {
  if (annotations?.[referenceType] === attestationType) return 'attestation';
  return isManifest(mediaType) && artifactType === undefined ? 'image' : 'unknown';
}

const platformOf = ({ os, architecture, variant, ...rest }: Platform): Platform => ({
  os,
  architecture,
  ...(variant !== undefined && variant !== '' && { variant }),
  ...(rest['os.version'] !== undefined && { 'os.version': rest['os.version'] }),
  ...(rest['os.features'] !== undefined && { 'os.features': rest['os.features'] }),
});

function refuse(name: string, { record }: StoredImage, platform: Platform): never {
  throw notFound(
    `image with reference ${name} was found but its platform (${formatPlatform(record.config)}) ` +
      `does not match the specified platform (${formatPlatform(platform)})`,
  );
}
