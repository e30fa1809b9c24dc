import type { ContentStore } from '#content';
import type { EventSink } from '#events';
import { invalidArgument, Limiter, notFound, type Clock } from '#kernel';
import {
  canonicalName,
  familiarName,
  familiarString,
  isIndex,
  parseImageConfig,
  parseIndex,
  parseManifest,
  parseReference,
  trimmed,
  withDigest,
  type Descriptor,
  type Digest,
  type Manifest,
  type Reference,
} from '#oci';
import type { RegistryClient, Repository } from '#registry/client';
import type { Claims } from './claims.ts';
import { imageAttributes } from './image-events.ts';
import { isDigestName, nameOf, type ImageIndex, type ImageName } from './image-index.ts';
import type { ProgressEvent, TransferOptions } from './images.ts';
import { LayerUpload } from './layer-upload.ts';
import type { LayerCompression } from './layer-compression.ts';
import { findMissingBlob, type ImageModel } from './stored-image.ts';

export interface ImagePushOptions {
  readonly content: ContentStore;
  readonly registry: RegistryClient;
  readonly claims: Claims;
  readonly index: ImageIndex;
  readonly compression: LayerCompression;
  readonly events: EventSink;
  readonly clock: Clock;
  /** How many layers are sent at once, over all pushes. */
  readonly concurrency: number | (() => number);
}

/** `docker push`. */
export class ImagePush {
  readonly #options: ImagePushOptions;
  readonly #limiter: Limiter;

  constructor(options: ImagePushOptions) {
    this.#options = options;
    this.#limiter = new Limiter(options.concurrency);
  }

  /** A repository without a tag stands for all its tags. */
  async push(text: string, transfer: TransferOptions): Promise<void> {
    const { index } = this.#options;
    const reference = parseReference(text);
    if (reference.digest) throw invalidArgument('cannot push a digest reference');
    const repository = canonicalName(reference);
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
      await this.#pushOne(name, image.model, transfer);
    }
    const id = wanted.length === 1 && wanted[0] !== undefined ? index.imageOf(wanted[0]) : undefined;
    const attributes = imageAttributes(familiarName(reference), id && index.byId(id)?.model.config);
    this.#options.events.publish('image', 'push', familiarString(reference), attributes);
  }

  async #pushOne(name: ImageName, stored: ImageModel, transfer: TransferOptions): Promise<void> {
    const { claims, index, content, registry, compression } = this.#options;
    await using claim = claims.open();
    // Plain layers go with the claim, where compressed ones have taken their place.
    for (const digest of stored.blobs) await claim.blob(digest);
    const reference = parseReference(name);
    const repository = registry.repository(canonicalName(reference), transfer.auth ?? {}, 'push,pull');
    const model = await compression.compress(stored, claim, transfer.signal);
    const tag = reference.tag ?? 'latest';
    const isWhole =
      isIndex(model.target.mediaType) && !(await findMissingBlob(content, await this.#reach(model.target)));
    const target = isWhole ? model.target : model.manifest;
    const digest = isWhole
      ? await this.#pushIndex(repository, reference, target, tag, transfer)
      : await this.#pushManifest(repository, reference, target, tag, transfer);
    index.name(model.id, [nameOf(withDigest(reference, digest))]);
    transfer.report({ status: `${tag}: digest: ${digest} size: ${target.size}` });
    transfer.report({ aux: { Tag: tag, Digest: digest, Size: target.size } });
  }

  /** Everything an index leads to, whether it is here or not. */
  async #reach(target: Descriptor): Promise<readonly Digest[]> {
    const { content } = this.#options;
    const digests: Digest[] = [];
    for (const entry of parseIndex(await content.read(target.digest)).manifests) {
      digests.push(entry.digest);
      if (!(await content.find(entry.digest))) return digests;
      if (isIndex(entry.mediaType)) digests.push(...(await this.#reach(entry)));
      else {
        const { config, layers } = parseManifest(await content.read(entry.digest));
        digests.push(...[config, ...layers].map((blob) => blob.digest));
      }
    }
    return digests;
  }

  async #pushIndex(
    repository: Repository,
    reference: Reference,
    target: Descriptor,
    object: string,
    transfer: TransferOptions,
  ): Promise<Digest> {
    const bytes = await this.#options.content.read(target.digest);
    for (const entry of parseIndex(bytes).manifests) {
      const push = isIndex(entry.mediaType) ? this.#pushIndex : this.#pushManifest;
      await push.call(this, repository, reference, entry, entry.digest, transfer);
    }
    return repository.pushManifest(object, target.mediaType, bytes, { signal: transfer.signal });
  }

  async #pushManifest(
    repository: Repository,
    reference: Reference,
    descriptor: Descriptor,
    object: string,
    transfer: TransferOptions,
  ): Promise<Digest> {
    const { content, clock } = this.#options;
    const bytes = await content.read(descriptor.digest);
    const manifest = parseManifest(bytes);
    const ids = await this.#layerIds(manifest);
    const report = (event: ProgressEvent): void => transfer.report(event);
    const uploads = manifest.layers.map(
      (layer, n) => new LayerUpload(layer, ids[n] ?? layer.digest, { content, clock, report }),
    );
    for (const upload of uploads.toReversed()) upload.prepare();
    const abort = new AbortController();
    const signal = AbortSignal.any([transfer.signal, abort.signal]);
    const tasks = uploads.map((upload) =>
      this.#limiter.run(() => upload.push(repository, this.#sources(reference, upload.digest), signal)),
    );
    try {
      await Promise.all(tasks);
      if (!(await repository.hasBlob(manifest.config.digest, { signal }))) {
        const open = () => content.openStream(manifest.config.digest);
        await repository.pushBlob(manifest.config, open, { signal });
      }
    } catch (error) {
      abort.abort(error);
      await Promise.allSettled(tasks);
      throw error;
    }
    return repository.pushManifest(object, descriptor.mediaType, bytes, { signal });
  }

  /** diffIDs, by which Docker names layers in a push; none for what is no image (attestations). */
  async #layerIds(manifest: Manifest): Promise<readonly Digest[]> {
    try {
      return parseImageConfig(await this.#options.content.read(manifest.config.digest)).rootfs.diff_ids;
    } catch {
      return [];
    }
  }

  /** Repositories of the same registry that are known to hold a layer: those of images pulled or pushed before. */
  #sources(reference: Reference, layer: Digest): readonly Reference[] {
    const { index } = this.#options;
    const sources = new Map<string, Reference>();
    for (const { model } of index.images()) {
      if (!model.blobs.has(layer)) continue;
      for (const name of index.namesOf(model.id).filter(isDigestName)) {
        const other = parseReference(name);
        if (other.domain === reference.domain && other.path !== reference.path)
          sources.set(other.path, trimmed(other));
      }
    }
    return [...sources.values()].slice(0, 4);
  }
}
