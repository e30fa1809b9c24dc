import type { ContentStore } from '#content';
import type { EventSink } from '#events';
import { invalidArgument, notFound, type Clock } from '#kernel';
import {
  canonicalName,
  familiarName,
  familiarString,
  isIndex,
  parseReference,
  withDefaultTag,
  withDigest,
  type Descriptor,
  type Digest,
  type Platform,
  type Reference,
} from '#oci';
import type { RegistryClient } from '#registry/client';
import type { BlobSources } from './blob-sources.ts';
import { BlobUploads } from './blob-uploads.ts';
import type { Claims } from './claims.ts';
import { imageAttributes } from './image-events.ts';
import {
  isDigestName,
  nameOf,
  noSuchImage,
  repositoryOf,
  type ImageIndex,
  type ImageName,
  type StoredImage,
} from './image-index.ts';
import { ImageUpload, MissingContent } from './image-upload.ts';
import type { TransferOptions } from './images.ts';
import type { LayerCompression } from './layer-compression.ts';
import type { ImageModel } from './stored-image.ts';

export interface ImagePushOptions {
  readonly content: ContentStore;
  readonly registry: RegistryClient;
  readonly claims: Claims;
  readonly index: ImageIndex;
  readonly sources: BlobSources;
  readonly compression: LayerCompression;
  readonly events: EventSink;
  readonly clock: Clock;
  /** How many layers are sent at once, over all pushes. */
  readonly concurrency: number | (() => number);
  /** The image of a platform. Throws notFound in Docker's words. */
  select(image: StoredImage, platform: Platform, name: string, signal: AbortSignal): Promise<StoredImage>;
}

/** `docker push`. */
export class ImagePush {
  readonly #options: ImagePushOptions;
  readonly #uploads: BlobUploads;

  constructor(options: ImagePushOptions) {
    this.#options = options;
    this.#uploads = new BlobUploads(options.concurrency);
  }

  /** A repository without a tag stands for all its tags. */
  async push(text: string, transfer: TransferOptions): Promise<void> {
    const { index } = this.#options;
    const reference = parseReference(text);
    if (reference.digest) throw invalidArgument('cannot push a digest reference');
    const repository = canonicalName(reference);
    await this.#checkPlatform(text, reference, transfer);
    transfer.report({ status: `The push refers to repository [${repository}]` });
    const all = index.tagsOfRepository(repository);
    if (all.length === 0) {
      throw notFound(`An image does not exist locally with the tag: ${familiarName(reference)}`);
    }
    const wanted = reference.tag === undefined ? all : [nameOf(reference)];
    for (const name of wanted) {
      const id = index.imageOf(name);
      const image = id && index.byId(id);
      if (!image) throw notFound(`tag does not exist: ${familiarString(reference)}`);
      await this.#pushOne(name, image, transfer);
    }
    const id = wanted.length === 1 && wanted[0] !== undefined ? index.imageOf(wanted[0]) : undefined;
    const attributes = imageAttributes(familiarName(reference), id && index.byId(id)?.model.config);
    this.#options.events.publish('image', 'push', familiarString(reference), attributes);
  }

  /**
   * Sends a manifest or an index, all of whose content is here and held, under a name or by its digest alone. Where an
   * image here has it, it is known by that digest from then on.
   */
  async pushContent(
    target: Descriptor,
    text: string,
    { byDigest, ...transfer }: TransferOptions & { readonly byDigest: boolean },
  ): Promise<void> {
    const { index, sources, events } = this.#options;
    const reference = withDefaultTag(parseReference(text));
    const upload = this.#uploadTo(canonicalName(reference), transfer);
    await upload.push(target, byDigest ? target.digest : (reference.tag ?? target.digest));
    const image = index.images().find(({ model }) => model.target.digest === target.digest);
    if (image) {
      index.name(image.model.id, [nameOf(withDigest(reference, target.digest))]);
      sources.add(image.model.blobs, canonicalName(reference));
    }
    const attributes = imageAttributes(familiarName(reference), image?.model.config);
    events.publish('image', 'push', familiarString(reference), attributes);
  }

  #uploadTo(repository: string, transfer: TransferOptions): ImageUpload {
    const { registry, content, clock } = this.#options;
    return new ImageUpload({
      ...{ registry, content, clock, transfer },
      repository: registry.repository(repository, transfer.auth ?? {}, 'push,pull'),
      uploads: this.#uploads,
      sourcesOf: (digest) => this.#sourcesOf(digest),
    });
  }

  /** Before anything is reported, as clients know it. */
  async #checkPlatform(text: string, reference: Reference, transfer: TransferOptions): Promise<void> {
    const { platform, signal } = transfer;
    if (!platform) return;
    const { index } = this.#options;
    const id = index.imageOf(nameOf(withDefaultTag(reference)));
    const image = id && index.byId(id);
    if (!image) throw noSuchImage(text);
    await this.#options.select(image, platform, familiarString(reference), signal);
  }

  async #pushOne(name: ImageName, image: StoredImage, transfer: TransferOptions): Promise<void> {
    const { claims, index, compression, sources } = this.#options;
    const { platform, signal } = transfer;
    await using claim = claims.open();
    const reference = parseReference(name);
    const chosen = platform
      ? await this.#options.select(image, platform, familiarString(reference), signal)
      : image;
    // Plain layers go with the claim, where compressed ones have taken their place.
    for (const digest of chosen.model.blobs) await claim.blob(digest);
    const model = await compression.compress(chosen.model, claim, signal);
    const tag = reference.tag ?? 'latest';
    const target = platform ? model.manifest : model.target;
    const pushed = await this.#upload(name, model, target, tag, transfer);
    index.name(model.id, [nameOf(withDigest(reference, pushed.digest))]);
    sources.add(blobsOf(model, pushed), canonicalName(reference));
    transfer.report({ status: `${tag}: digest: ${pushed.digest} size: ${pushed.size}` });
    transfer.report({ aux: { Tag: tag, Digest: pushed.digest, Size: pushed.size } });
  }

  /** Sends the target whole; in the place of an index that cannot be made whole, the manifest that is here. */
  async #upload(
    name: ImageName,
    model: ImageModel,
    target: Descriptor,
    tag: string,
    transfer: TransferOptions,
  ): Promise<Descriptor> {
    const upload = this.#uploadTo(repositoryOf(name), transfer);
    try {
      return { ...target, digest: await upload.push(target, tag) };
    } catch (error) {
      if (!(error instanceof MissingContent) || !isIndex(target.mediaType)) throw error;
      const { manifest } = model;
      const digest = await upload.push(manifest, tag);
      const [originalIndex, selectedManifest] = [target, manifest];
      // Clients tell this in words of their own.
      transfer.report({ aux: { manifestPushedInsteadOfIndex: true, originalIndex, selectedManifest } });
      return { ...manifest, digest };
    }
  }

  /** Repositories that are known to hold a blob: those it came from or went to, and of images that have it. */
  #sourcesOf(digest: Digest): readonly string[] {
    const { index, sources } = this.#options;
    const found = new Set(sources.of(digest));
    for (const { model } of index.images()) {
      if (!model.blobs.has(digest)) continue;
      for (const name of index.namesOf(model.id).filter(isDigestName)) found.add(repositoryOf(name));
    }
    return [...found].slice(0, maxSources);
  }
}

const maxSources = 4;

const blobsOf = (model: ImageModel, { digest }: Descriptor): ReadonlySet<Digest> =>
  new Set([digest, model.manifest.digest, model.id, ...model.layers.map((layer) => layer.digest)]);
