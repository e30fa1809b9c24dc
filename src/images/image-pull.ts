import type { ContentStore } from '#content';
import type { EventSink } from '#events';
import { EngineError, invalidArgument, isKind, messageOf, type Clock } from '#kernel';
import {
  canonicalName,
  chainIds,
  familiarName,
  familiarString,
  isIndex,
  objectOf,
  parseIndex,
  parseManifest,
  parseReference,
  withDefaultTag,
  withDigest,
  withTag,
  type Descriptor,
  type ImageConfig,
  type Manifest,
  type Platform,
  type Reference,
} from '#oci';
import type { FetchedManifest, RegistryClient, Repository } from '#registry/client';
import type { Snapshotter } from '#snapshots';
import type { BlobDownloads } from './blob-downloads.ts';
import type { BlobSources } from './blob-sources.ts';
import type { Claim, Claims } from './claims.ts';
import { helloWorldName } from './hello-world.ts';
import { imageAttributes } from './image-events.ts';
import { nameOf, type ImageIndex, type ImageName } from './image-index.ts';
import type { ImageIntake } from './image-intake.ts';
import type { ProgressEvent, TransferOptions } from './images.ts';
import { isInterruption } from './interruption.ts';
import { LayerProgress } from './layer-progress.ts';
import { checkDocumentType, readConfig, selectPlatform } from './stored-image.ts';

export interface ImagePullOptions {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly registry: RegistryClient;
  readonly claims: Claims;
  readonly index: ImageIndex;
  readonly intake: ImageIntake;
  readonly downloads: BlobDownloads;
  readonly sources: BlobSources;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly platform: Platform;
  makeHelloWorld(): Promise<void>;
  /** Milliseconds that a registry has to answer for hello-world before the embedded one is taken. */
  readonly helloWorldPatience: number;
}

/** What a registry says of a reference, once a platform has been chosen. */
interface Resolved {
  readonly target: Descriptor;
  readonly manifest: Descriptor;
  readonly document: Manifest;
}

type Outcome = 'downloaded' | 'upToDate' | 'embedded';

/** `docker pull`. */
export class ImagePull {
  readonly #options: ImagePullOptions;

  constructor(options: ImagePullOptions) {
    this.#options = options;
  }

  async pull(text: string, transfer: TransferOptions & { allTags?: boolean }): Promise<void> {
    const reference = parseReference(text);
    if (!transfer.allTags) {
      const wanted = withDefaultTag(reference);
      const outcome = await this.#pullOne(wanted, transfer);
      if (outcome !== 'embedded') this.#finish(wanted, outcome, transfer);
      return;
    }
    const repository = this.#repository(reference, transfer);
    const outcomes: Outcome[] = [];
    for (const tag of await repository.listTags({ signal: transfer.signal })) {
      outcomes.push(await this.#pullOne(withTag(reference, tag), transfer));
    }
    this.#finish(reference, outcomes.includes('downloaded') ? 'downloaded' : 'upToDate', transfer);
  }

  #repository(reference: Reference, transfer: TransferOptions): Repository {
    return this.#options.registry.repository(canonicalName(reference), transfer.auth ?? {}, 'pull');
  }

  #finish(reference: Reference, outcome: Outcome, transfer: TransferOptions): void {
    const name = familiarString(reference);
    const status =
      outcome === 'downloaded' ? `Downloaded newer image for ${name}` : `Image is up to date for ${name}`;
    transfer.report({ status: `Status: ${status}` });
    const id = this.#options.index.imageOf(nameOf(reference));
    const config = id && this.#options.index.byId(id)?.model.config;
    const attributes = imageAttributes(familiarName(reference), config);
    this.#options.events.publish('image', 'pull', name, attributes);
  }

  async #pullOne(reference: Reference, transfer: TransferOptions): Promise<Outcome> {
    const { claims } = this.#options;
    await using claim = claims.open(`pull ${nameOf(reference)}`);
    try {
      return await this.#pullWith(claim, reference, transfer);
    } catch (error) {
      // By the caller, the end of the daemon or the network: the next pull goes on with the layers that are whole.
      if (transfer.signal.aborted || isInterruption(error)) claim.keep();
      throw error;
    }
  }

  async #pullWith(claim: Claim, reference: Reference, transfer: TransferOptions): Promise<Outcome> {
    const { index } = this.#options;
    const repository = this.#repository(reference, transfer);
    const fetched = await this.#fetchTop(repository, reference, transfer);
    if (fetched === 'embedded') return fetched;
    const pulled = reference.digest ? familiarString(reference) : objectOf(reference);
    transfer.report({ id: pulled, status: `Pulling from ${reference.path}` });
    const resolved = await this.#resolve(repository, reference, fetched, claim, transfer);
    const digestName = nameOf(withDigest(reference, resolved.target.digest));
    // A digest goes on meaning the platform that it was pulled for first, unless it is pulled itself.
    const digestNames = reference.digest || !index.imageOf(digestName) ? [digestName] : [];
    const names = reference.digest ? digestNames : [nameOf(reference), ...digestNames];
    const id = resolved.document.config.digest;
    const before = index.imageOf(nameOf(reference));
    const known = index.byId(id);
    if (known && isKnownAs(known.model.target, resolved.target)) index.name(id, names);
    else await this.#transfer(repository, resolved, names, claim, transfer);
    this.#rememberSource(resolved, repository.name);
    transfer.report({ status: `Digest: ${resolved.target.digest}` });
    return before === id ? 'upToDate' : 'downloaded';
  }

  /** The manifest or index; for hello-world, `embedded` where no registry answers. */
  async #fetchTop(
    repository: Repository,
    reference: Reference,
    transfer: TransferOptions,
  ): Promise<FetchedManifest | 'embedded'> {
    const { signal } = transfer;
    const object = objectOf(reference);
    if (nameOf(reference) !== helloWorldName) return repository.fetchManifest(object, { signal });
    const patience = AbortSignal.timeout(this.#options.helloWorldPatience);
    try {
      return await repository.fetchManifest(object, { signal: AbortSignal.any([signal, patience]) });
    } catch (error) {
      signal.throwIfAborted();
      if (!patience.aborted && !isUnreachable(error)) throw error;
      await this.#options.makeHelloWorld();
      const why = patience.aborted ? 'it did not answer in time' : messageOf(error);
      transfer.report({ status: `The registry of hello-world cannot be reached (${why})` });
      transfer.report({ status: 'Status: Using the hello-world that is embedded in Wharf' });
      return 'embedded';
    }
  }

  /** Follows indexes to the manifest for the platform; the documents are kept and held. */
  async #resolve(
    repository: Repository,
    reference: Reference,
    fetched: FetchedManifest,
    claim: Claim,
    transfer: TransferOptions,
  ): Promise<Resolved> {
    const platform = transfer.platform ?? this.#options.platform;
    const target = fetched.descriptor;
    let { descriptor, bytes } = fetched;
    for (let depth = 0; depth < 4; depth += 1) {
      checkDocumentType(descriptor, familiarString(reference));
      await this.#options.intake.put(claim, descriptor.mediaType, bytes);
      if (!isIndex(descriptor.mediaType)) {
        return { target, manifest: descriptor, document: parseManifest(bytes) };
      }
      const chosen = selectPlatform(parseIndex(bytes).manifests, platform);
      ({ descriptor, bytes } = await repository.fetchManifest(chosen.digest, { signal: transfer.signal }));
      if (descriptor.digest !== chosen.digest) {
        throw invalidArgument(`the registry sent ${descriptor.digest} where ${chosen.digest} was asked for`);
      }
    }
    throw invalidArgument(`the indexes of ${familiarString(reference)} are nested too deeply`);
  }

  /** Downloads in parallel, unpacks in order while later layers are on their way. */
  async #transfer(
    repository: Repository,
    resolved: Resolved,
    names: readonly ImageName[],
    claim: Claim,
    transfer: TransferOptions,
  ): Promise<void> {
    const { downloads, content, clock } = this.#options;
    const { document } = resolved;
    const report = (event: ProgressEvent): void => transfer.report(event);
    const abort = new AbortController();
    const signal = AbortSignal.any([transfer.signal, abort.signal]);
    for (const { digest } of [document.config, ...document.layers]) await claim.blob(digest);
    await downloads.fetch(repository, document.config, { signal });
    const present = await this.#presentLayers(document, await readConfig(content, document));
    const layers = document.layers.map(
      (layer, n) => new LayerProgress(layer, { present: present[n] === true, clock, report }),
    );
    // Of an image that is here only the index is new, of which nothing is told.
    if (!this.#options.index.byId(document.config.digest)) for (const layer of layers) layer.begin();
    const arrivals = layers.map((layer) => layer.download(downloads, repository, signal));
    const admission = this.#options.intake.admit(resolved.target, {
      manifest: resolved.manifest,
      names,
      platform: transfer.platform ?? this.#options.platform,
      claim,
      signal,
      watcher: {
        ready: async (n) => arrivals[n],
        started: (n) => layers[n]?.extracting(),
        finished: (n) => layers[n]?.finished(),
      },
    });
    try {
      // A download that fails ends the whole at once, also while an earlier layer is being unpacked.
      await Promise.all([admission, ...arrivals]);
    } catch (error) {
      abort.abort(error);
      await Promise.allSettled([admission, ...arrivals]);
      throw error;
    }
  }

  #rememberSource({ target, manifest, document }: Resolved, repository: string): void {
    const blobs = [target, manifest, document.config, ...document.layers];
    const digests = new Set(blobs.map(({ digest }) => digest));
    this.#options.sources.add(digests, repository);
  }

  /** For each layer, whether its blob and its snapshot are both here. */
  async #presentLayers(document: Manifest, config: ImageConfig): Promise<readonly boolean[]> {
    const chain = chainIds(config.rootfs.diff_ids);
    return Promise.all(
      document.layers.map(async ({ digest }, n) => {
        const snapshot = this.#options.snapshots.find(chain[n] ?? '');
        return snapshot !== undefined && (await this.#options.content.find(digest)) !== undefined;
      }),
    );
  }
}

/** Whether there is nothing more to be learnt of an image: an index tells more than one of its manifests. */
const isKnownAs = (known: Descriptor, found: Descriptor): boolean =>
  known.digest === found.digest || !isIndex(found.mediaType);

/** Whether no registry could be asked, as against one that said no. */
const isUnreachable = (error: unknown): boolean =>
  isKind(error, 'unavailable') || isKind(error, 'internal') || !(error instanceof EngineError);
