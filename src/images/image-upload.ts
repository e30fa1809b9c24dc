import type { Readable } from 'node:stream';
import type { ContentStore } from '#content';
import { messageOf, type Clock } from '#kernel';
import {
  isDigest,
  isIndex,
  isManifest,
  parseImageConfig,
  parseIndex,
  parseManifest,
  parseReference,
  type Descriptor,
  type Digest,
  type Manifest,
} from '#oci';
import type { RegistryClient, Repository } from '#registry/client';
import type { BlobUpload, BlobUploads } from './blob-uploads.ts';
import type { ProgressEvent, TransferOptions } from './images.ts';
import { LayerUpload } from './layer-upload.ts';

export interface ImageUploadOptions {
  readonly content: ContentStore;
  readonly registry: RegistryClient;
  readonly uploads: BlobUploads;
  readonly clock: Clock;
  /** Where it goes. */
  readonly repository: Repository;
  readonly transfer: TransferOptions;
  /** Repositories, canonical, that are known to have a blob. */
  sourcesOf(digest: Digest): readonly string[];
}

/** Milliseconds that the repositories which an index came from have to send one of its manifests. */
const patience = 20_000;

/** Some of the content is neither here nor where it came from. */
export class MissingContent extends Error {
  override readonly name = 'MissingContent';
}

/**
 * One image on its way into one repository: the manifest or index with its bytes as they are. What is not here, as the
 * other platforms of an index, is mounted or streamed from where the index came from.
 */
export class ImageUpload {
  readonly #options: ImageUploadOptions;

  constructor(options: ImageUploadOptions) {
    this.#options = options;
  }

  /** `name`: tag or digest. Resolves to the digest that the registry gives it. Throws MissingContent. */
  async push(target: Descriptor, name: string): Promise<Digest> {
    return isIndex(target.mediaType)
      ? await this.#pushIndex(target, name, this.#options.sourcesOf(target.digest))
      : await this.#pushManifest(target, name, []);
  }

  async #pushIndex(target: Descriptor, name: string, from: readonly string[]): Promise<Digest> {
    const { repository, transfer } = this.#options;
    const bytes = await this.#document(target, from);
    for (const entry of parseIndex(bytes).manifests) {
      if (isIndex(entry.mediaType)) await this.#pushIndex(entry, entry.digest, from);
      else if (isManifest(entry.mediaType)) await this.#pushManifest(entry, entry.digest, from);
      else await this.#pushBlob(entry, from);
    }
    return await repository.pushManifest(name, target.mediaType, bytes, { signal: transfer.signal });
  }

  async #pushManifest(target: Descriptor, name: string, from: readonly string[]): Promise<Digest> {
    const { repository, transfer, uploads, clock } = this.#options;
    const bytes = await this.#document(target, from);
    const manifest = parseManifest(bytes);
    const ids = await this.#layerIds(manifest);
    const report = (event: ProgressEvent): void => transfer.report(event);
    const layers = manifest.layers.map(
      (layer, n) => new LayerUpload(layer, ids[n] ?? layer.digest, { uploads, clock, report }),
    );
    for (const layer of layers.toReversed()) layer.prepare();
    const abort = new AbortController();
    const signal = AbortSignal.any([transfer.signal, abort.signal]);
    const tasks = layers.map(async (each) =>
      each.push(repository, await this.#origin(each.layer, from), signal),
    );
    try {
      await Promise.all(tasks);
      await this.#pushBlob(manifest.config, from);
    } catch (error) {
      abort.abort(error);
      await Promise.allSettled(tasks);
      throw error;
    }
    return await repository.pushManifest(name, target.mediaType, bytes, { signal: transfer.signal });
  }

  async #pushBlob(descriptor: Descriptor, from: readonly string[]): Promise<void> {
    const { uploads, repository, transfer } = this.#options;
    const upload = { ...(await this.#origin(descriptor, from)), descriptor, progress: () => undefined };
    await uploads.push(repository, upload, transfer.signal);
  }

  /** A manifest or index: from here, or from a repository that it came from. */
  async #document({ digest }: Descriptor, from: readonly string[]): Promise<Uint8Array> {
    const { content, transfer } = this.#options;
    if (await content.find(digest)) return await content.read(digest);
    const signal = AbortSignal.any([transfer.signal, AbortSignal.timeout(patience)]);
    return await this.#fromAny(digest, from, async (source) => {
      const { bytes, descriptor } = await source.fetchManifest(digest, { signal });
      if (descriptor.digest !== digest) throw new Error(`${source.name} sent ${descriptor.digest}`);
      return bytes;
    });
  }

  /** Where a blob is to be had: here, or in repositories. */
  async #origin(
    descriptor: Descriptor,
    from: readonly string[],
  ): Promise<Pick<BlobUpload, 'sources' | 'open'>> {
    const { content } = this.#options;
    const { digest } = descriptor;
    const sources = [...new Set([...this.#options.sourcesOf(digest), ...from])];
    if (await content.find(digest)) {
      return { sources, open: (start) => content.openStream(digest, { start }) };
    }
    const fetch = (offset: number, signal: AbortSignal): Promise<Readable> =>
      this.#fromAny(digest, sources, (source) => source.fetchBlob(descriptor, { signal, offset }));
    return { sources, open: fetch };
  }

  async #fromAny<T>(
    digest: Digest,
    sources: readonly string[],
    task: (source: Repository) => Promise<T>,
  ): Promise<T> {
    const { transfer, repository, registry } = this.#options;
    const { domain } = parseReference(repository.name);
    let failure: unknown = 'nothing is known of where it came from';
    for (const name of sources) {
      // The credentials are for the registry that is pushed to.
      const auth = parseReference(name).domain === domain ? (transfer.auth ?? {}) : {};
      try {
        return await task(registry.repository(name, auth, 'pull'));
      } catch (error) {
        transfer.signal.throwIfAborted();
        failure = error;
      }
    }
    throw new MissingContent(`content ${digest} is not here: ${messageOf(failure)}`, { cause: failure });
  }

  /** diffIDs, by which Docker names layers in a push; none for what is no image (attestations) or not here. */
  async #layerIds(manifest: Manifest): Promise<readonly Digest[]> {
    try {
      const config = parseImageConfig(await this.#options.content.read(manifest.config.digest));
      return config.rootfs.diff_ids.filter((id) => isDigest(id));
    } catch {
      return [];
    }
  }
}
