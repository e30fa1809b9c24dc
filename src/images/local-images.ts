import type { Readable } from 'node:stream';
import type { Archiver } from '#archive';
import type { ContentStore } from '#content';
import type { EventSink } from '#events';
import { unavailable, type Clock, type Logger } from '#kernel';
import type { Database, Leases } from '#metadata';
import { hostPlatform, type Digest, type Platform } from '#oci';
import type { RegistryClient } from '#registry/client';
import type { Snapshotter } from '#snapshots';
import { BlobDownloads } from './blob-downloads.ts';
import { BlobSources } from './blob-sources.ts';
import { Claims, type LayerHolder } from './claims.ts';
import { hasHelloWorld, makeHelloWorld } from './hello-world.ts';
import type { ImageHandover } from './image-handover.ts';
import { LocalImageBuilding, type ImageBuilding } from './image-building.ts';
import { inspectDistribution } from './image-distribution.ts';
import { readAttestations, type AttestationOptions, type ImageAttestation } from './image-attestations.ts';
import { ImageCommit } from './image-commit.ts';
import { publishTag } from './image-events.ts';
import { collectImageGarbage, restoreImages, type ImageGarbageOptions } from './image-garbage.ts';
import { imageHistory, type ImageHistoryEntry } from './image-history.ts';
import { ImageImport } from './image-import.ts';
import { ImageIndex, noSuchImage, tagNameOf, type StoredImage } from './image-index.ts';
import { ImageIntake } from './image-intake.ts';
import { ImageLoad } from './image-load.ts';
import { ImageOffers } from './image-offers.ts';
import { ImagePull } from './image-pull.ts';
import { ImagePush } from './image-push.ts';
import { ImageReceipt } from './image-receipt.ts';
import { ImageRemoval, type ImageUser } from './image-removal.ts';
import { ImageRetirement } from './image-retirement.ts';
import type { ImageUpkeep } from './image-upkeep.ts';
import { ImageSave } from './image-save.ts';
import { ImageVerification } from './image-verification.ts';
import type {
  CommitSpec,
  ImageManifest,
  ImageRecord,
  Images,
  RemoteImage,
  RemovedImage,
  TransferOptions,
  VerifiedImage,
} from './images.ts';
import { LayerClamping } from './layer-clamping.ts';
import { LayerCompression } from './layer-compression.ts';
import { sharedSizes } from './shared-sizes.ts';
import { LayerUnpacker } from './layer-unpacker.ts';
import { PlatformImages } from './platform-images.ts';

export interface ImagesOptions {
  readonly db: Database;
  readonly leases: Leases;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly archiver: Archiver;
  readonly registry: RegistryClient;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Written into images that are made here. */
  readonly engineVersion?: string;
  /** Who else needs layers and their blobs: builders, for their cache. */
  readonly holder?: LayerHolder;
  /** Which containers were made from an image. */
  users(image: Digest): readonly ImageUser[];
  /** What pulls and loads choose from an index unless told otherwise; this host's by default. */
  readonly platform?: Platform;
  /** Blobs fetched at once, 3 by default (dockerd's max-concurrent-downloads). */
  readonly concurrentDownloads?: number | (() => number);
  /** Attempts at each blob, 5 by default (dockerd's max-download-attempts). */
  readonly downloadAttempts?: () => number;
  /** The most bytes that the files of one layer may have; 100 GB by default. */
  readonly maximumLayer?: () => number;
  /** Layers sent at once, 5 by default (dockerd's max-concurrent-uploads). */
  readonly concurrentUploads?: number | (() => number);
  /** Milliseconds that a registry has to answer for hello-world before the embedded one is taken; 4000 by default. */
  readonly helloWorldPatience?: number;
  /** Milliseconds before the nth repetition of a download that was cut short. */
  retryDelay?(attempt: number): number;
}

type TransferDoors = Readonly<{ pull: ImagePull; push: ImagePush; load: ImageLoad; save: ImageSave }>;

class LocalImages implements Images, AsyncDisposable {
  readonly building: ImageBuilding;
  readonly handover: ImageHandover;
  readonly upkeep: ImageUpkeep;
  readonly #options: ImagesOptions;
  readonly #index: ImageIndex;
  readonly #claims: Claims;
  readonly #sources: BlobSources;
  readonly #intake: ImageIntake;
  readonly #removal: ImageRemoval;
  readonly #commit: ImageCommit;
  readonly #import: ImageImport;
  readonly #transfers: TransferDoors;
  readonly #platforms: PlatformImages;
  readonly #garbage: ImageGarbageOptions;
  readonly #verification: ImageVerification;
  readonly #closing = new AbortController();

  constructor(options: ImagesOptions) {
    const platform = options.platform ?? hostPlatform();
    const index = new ImageIndex(options.db, options.clock);
    const claims = new Claims(options.leases, index, options.content, options.snapshots, options.holder);
    const parts = { ...options, platform, index, claims };
    const sources = new BlobSources(options.db, options.clock);
    const unpacker = new LayerUnpacker(parts);
    const intake = new ImageIntake({ ...parts, unpacker });
    const clamping = new LayerClamping(parts);
    const compression = new LayerCompression({ ...parts, intake });
    const downloads = new BlobDownloads({
      ...parts,
      concurrency: options.concurrentDownloads ?? 3,
      ...(options.downloadAttempts && { attempts: options.downloadAttempts }),
    });
    this.#options = options;
    this.#sources = sources;
    this.#index = index;
    this.#claims = claims;
    this.#intake = intake;
    this.#removal = new ImageRemoval(parts);
    this.upkeep = new ImageRetirement(parts);
    this.#commit = new ImageCommit({ ...parts, intake });
    this.#import = new ImageImport({ ...parts, intake });
    this.#platforms = new PlatformImages({ ...parts, intake });
    this.#transfers = {
      pull: new ImagePull({
        ...parts,
        intake,
        downloads,
        sources,
        makeHelloWorld: () => this.ensureHelloWorld(),
        helloWorldPatience: options.helloWorldPatience ?? 4000,
      }),
      push: new ImagePush({
        ...parts,
        compression,
        sources,
        concurrency: options.concurrentUploads ?? 5,
        select: (...asked) => this.#platforms.select(...asked),
      }),
      load: new ImageLoad({ ...parts, intake }),
      save: new ImageSave({ ...parts, platforms: this.#platforms }),
    };
    const { push } = this.#transfers;
    this.building = new LocalImageBuilding({
      ...parts,
      intake,
      compression,
      clamping,
      push,
      unpacker,
      downloads,
    });
    const offers = new ImageOffers({ ...parts, compression });
    const receipt = new ImageReceipt({ ...parts, intake, downloads });
    this.handover = {
      offer: (reference, asked) => offers.offer(reference, this.#bound(asked)),
      read: (digest, offset) => offers.read(digest, offset),
      receive: (offer, asked) => receipt.receive(offer, this.#bound(asked)),
      deliver: (blob, bytes) => receipt.deliver(blob, bytes),
    };
    this.#verification = new ImageVerification({ ...parts, sources });
    this.#garbage = parts;
  }

  async start(): Promise<void> {
    await restoreImages(this.#garbage);
    await collectImageGarbage(this.#garbage);
    this.#sources.prune((digest) => this.#index.holdsBlob(digest));
  }

  #find(reference: string): StoredImage | undefined {
    const found = this.#index.resolve(reference);
    return found && this.#index.byId(found.id);
  }

  #get(reference: string): StoredImage {
    const image = this.#find(reference);
    if (!image) throw noSuchImage(reference);
    return image;
  }

  find(reference: string): ImageRecord | undefined {
    try {
      return this.#find(reference)?.record;
    } catch {
      // A bad reference or an ambiguous prefix names nothing; get() tells why.
      return undefined;
    }
  }

  get(reference: string): ImageRecord {
    return this.#get(reference).record;
  }

  list(): readonly ImageRecord[] {
    return this.#index.images().map(({ record }) => record);
  }

  async select(
    reference: string,
    platform: Platform,
    options: { signal: AbortSignal },
  ): Promise<ImageRecord> {
    const { signal } = this.#bound(options);
    return (await this.#platforms.select(this.#get(reference), platform, reference, signal)).record;
  }

  async manifests(reference: string): Promise<readonly ImageManifest[]> {
    return this.#platforms.manifests(this.#get(reference));
  }

  async attestations(reference: string, options: AttestationOptions): Promise<readonly ImageAttestation[]> {
    const { record } = this.#get(reference);
    const manifests = await this.manifests(reference);
    return readAttestations(this.#options.content, manifests, record.manifest.digest, options);
  }

  hasChildren(id: Digest): boolean {
    return this.#index.childrenOf(id).length > 0;
  }

  sharedSizes(): ReadonlyMap<Digest, number> {
    return sharedSizes(this.#index.images(), this.#options.snapshots);
  }

  folders(id: Digest): readonly string[] {
    const top = this.#index.byId(id)?.record.chainId;
    return top === undefined ? [] : this.#options.snapshots.mounts(top).lower;
  }

  tag(source: string, target: string): void {
    const { record, model } = this.#get(source);
    const name = tagNameOf(target);
    this.#index.name(record.id, [name], 'hand');
    publishTag(this.#options.events, model, name);
  }

  async remove(
    reference: string,
    options: Parameters<Images['remove']>[1],
  ): Promise<readonly RemovedImage[]> {
    const { platforms = [], force, prune } = options;
    if (platforms.length === 0) return this.#removal.remove(reference, force, prune);
    const image = this.#get(reference);
    const removed: RemovedImage[] = [];
    for (const platform of platforms) {
      const found = this.#platforms.find(image, platform);
      // The one that the name stands for goes like any other, with the name.
      if (found === image) removed.push(...(await this.#removal.remove(reference, force, prune)));
      else {
        if (found) removed.push(...(await this.#removal.remove(found.record.id, force, prune)));
        removed.push(...(await this.#platforms.discard(image, platform, reference)));
      }
    }
    return removed;
  }

  /** The caller's options, stopped also when the store is closed. */
  #bound<T extends { readonly signal: AbortSignal }>(options: T): T {
    return { ...options, signal: AbortSignal.any([options.signal, this.#closing.signal]) };
  }

  pull(reference: string, options: TransferOptions & { allTags?: boolean }): Promise<void> {
    return this.#transfers.pull.pull(reference, this.#bound(options));
  }

  push(reference: string, options: TransferOptions): Promise<void> {
    return this.#transfers.push.push(reference, this.#bound(options));
  }

  inspectDistribution(
    reference: string,
    options: Parameters<Images['inspectDistribution']>[1],
  ): Promise<RemoteImage> {
    return inspectDistribution(this.#options.registry, reference, this.#bound(options));
  }

  load(archive: AsyncIterable<Uint8Array>, options: Parameters<Images['load']>[1]): Promise<void> {
    return this.#transfers.load.load(archive, this.#bound(options));
  }

  save(references: readonly string[], options: Parameters<Images['save']>[1]): Promise<Readable> {
    return this.#transfers.save.save(references, this.#bound(options));
  }

  import(archive: AsyncIterable<Uint8Array>, options: Parameters<Images['import']>[1]): Promise<Digest> {
    return this.#import.import(archive, this.#bound(options));
  }

  commit(spec: CommitSpec, options: { signal: AbortSignal }): Promise<Digest> {
    return this.#commit.commit(spec, this.#bound(options).signal);
  }

  async ensureHelloWorld(): Promise<void> {
    if (!hasHelloWorld(this.#index)) await makeHelloWorld(this.#intake, this.#claims);
  }

  history(reference: string): readonly ImageHistoryEntry[] {
    const parentOf = ({ parent }: ImageRecord): ImageRecord | undefined =>
      parent && this.#index.byId(parent)?.record;
    return imageHistory(this.#get(reference), this.#options.snapshots, parentOf);
  }

  verify(
    references: readonly string[] | undefined,
    { auth = {}, ...options }: Parameters<Images['verify']>[1],
  ): Promise<readonly VerifiedImage[]> {
    const images = references?.map((reference) => this.#get(reference)) ?? this.#index.images();
    return this.#verification.verify(images, this.#bound({ ...options, auth }));
  }

  collectGarbage({ interrupted = false } = {}): Promise<{
    readonly removed: readonly Digest[];
    readonly bytes: number;
  }> {
    if (interrupted) this.#options.leases.dropInterrupted();
    return collectImageGarbage(this.#garbage);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(unavailable('the daemon is shutting down'));
    await this.#claims.idle();
  }
}

/**
 * The image store of one data root. start() comes after those of the content store and the snapshotter. Disposing it
 * stops what is under way and waits until that has left nothing behind; the database closes afterwards.
 */
export const createImages = (
  options: ImagesOptions,
): Images &
  AsyncDisposable & {
    readonly handover: ImageHandover;
    readonly upkeep: ImageUpkeep;
    readonly building: ImageBuilding;
  } => new LocalImages(options);
