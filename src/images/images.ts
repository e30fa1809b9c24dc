import type { AttestationOptions, ImageAttestation } from './image-attestations.ts';
import type { Readable } from 'node:stream';
import type { Descriptor, Digest, HistoryEntry, ImageConfig, ImageRuntimeConfig, Platform } from '#oci';
import type { RegistryAuth } from '#registry/client';

/** An image as the store knows it. */
export interface ImageRecord {
  /** Digest of the configuration blob: Docker's image id. */
  readonly id: Digest;
  /** What names point at: a manifest, or an index of several platforms. */
  readonly target: Descriptor;
  /** The manifest chosen for this host's platform (equals target for a single-platform image). */
  readonly manifest: Descriptor;
  readonly config: ImageConfig;
  /** The image it was committed on, which may be gone by now. */
  readonly parent?: Digest | undefined;
  /** chainID of the topmost layer; undefined for an image without layers. */
  readonly chainId: Digest | undefined;
  /** Familiar references with tags (`busybox:latest`, `127.0.0.1:5000/x:1`), sorted. */
  readonly tags: readonly string[];
  /** Familiar `name@digest` references. */
  readonly digests: readonly string[];
  /** Bytes of all unpacked layers. */
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly lastTaggedAt: bigint | undefined;
}

/** One manifest that an image's index (or the image itself) leads to. */
export interface ImageManifest {
  /** As the index has it, with its platform and annotations. */
  readonly descriptor: Descriptor;
  /** An attestation says something about another manifest; unknown ones are kept and never unpacked. */
  readonly kind: 'image' | 'attestation' | 'unknown';
  /** Whether every blob of it is here. */
  readonly available: boolean;
  /** Bytes of the blobs that are here. */
  readonly contentSize: number;
  /** Bytes of the layers that are unpacked. */
  readonly unpackedSize: number;
  /** Of an image, where its manifest is here: the id. */
  readonly image?: Digest;
  readonly platform?: Platform;
  /** Of an attestation: the digest of the manifest that it is about. */
  readonly subject?: string;
}

/** One step of a pull, push, load or import, in Docker's words; the API formats it. */
export interface ProgressEvent {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly current?: number;
  readonly total?: number;
  readonly aux?: object;
}

export interface TransferOptions {
  readonly auth?: RegistryAuth;
  readonly platform?: Platform;
  readonly signal: AbortSignal;
  report(event: ProgressEvent): void;
}

export interface CommitSpec {
  readonly containerId: string;
  /** Image the container was made from; undefined: none. */
  readonly parent: Digest | undefined;
  /** Config of the new image. */
  readonly config: ImageRuntimeConfig;
  /** Configuration of the container, which older clients are shown. */
  readonly containerConfig?: object;
  readonly history: HistoryEntry;
  readonly author?: string;
  /** Familiar or full reference to tag, if any. */
  readonly reference?: string;
}

export interface RemovedImage {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

/** What a registry has under a name. */
export interface RemoteImage {
  readonly descriptor: Descriptor;
  readonly platforms: readonly Platform[];
}

/** Something of an image that is not as it must be. */
export interface ImageDefect {
  readonly kind: 'blob' | 'layer';
  /** Of a blob its digest, of an unpacked layer its chainID. */
  readonly digest: Digest;
  /** What is wrong, for a person; several lines of an unpacked layer. */
  readonly problem: string;
  readonly isRepaired: boolean;
  /** Why it could not be repaired, and what to do. */
  readonly remedy?: string;
}

export interface VerifiedImage {
  readonly id: Digest;
  /** Familiar names. */
  readonly names: readonly string[];
  readonly defects: readonly ImageDefect[];
}

/** The image store: names, manifests and layers, unpacked. Everything it takes in is verified before it is named. */
export interface Images {
  start(): Promise<void>;
  /** By id (with or without sha256:), unique id prefix, tag or digest reference. */
  find(reference: string): ImageRecord | undefined;
  /** Throws notFound `No such image: X:latest`, invalidArgument for a bad reference. */
  get(reference: string): ImageRecord;
  list(): readonly ImageRecord[];
  /**
   * The image, or the one of the same index, for a platform; one that an archive brought is unpacked now. Throws
   * notFound in Docker's words where there is none.
   */
  select(reference: string, platform: Platform, options: { signal: AbortSignal }): Promise<ImageRecord>;
  /** Every manifest of the image's index, attestations and platforms that are not here too. Reads documents from disk. */
  manifests(reference: string): Promise<readonly ImageManifest[]>;
  /** What is said about the image of this host's platform, or about the one that select() has found. */
  attestations(reference: string, options: AttestationOptions): Promise<readonly ImageAttestation[]>;
  /** Whether others were committed on it: then it is no dangling image though it has no name. */
  hasChildren(id: Digest): boolean;
  /** Bytes of the layers of each image that other images have too, by id. */
  sharedSizes(): ReadonlyMap<Digest, number>;
  /** Folders of the image's layers, the topmost first. */
  folders(id: Digest): readonly string[];
  tag(source: string, target: string): void;
  /**
   * Untags, and deletes what nothing else names (Docker's rules and texts for conflicts). `users` says which
   * containers hold an image.
   */
  remove(
    reference: string,
    options: {
      force: boolean;
      prune: boolean;
      /** Only these of the image's index. */
      platforms?: readonly Platform[];
    },
  ): Promise<readonly RemovedImage[]>;
  pull(reference: string, options: TransferOptions & { allTags?: boolean }): Promise<void>;
  push(reference: string, options: TransferOptions): Promise<void>;
  /** What a registry has under a name, without keeping anything of it. */
  inspectDistribution(
    reference: string,
    options: Pick<TransferOptions, 'auth' | 'signal'>,
  ): Promise<RemoteImage>;
  /** docker-archive or OCI layout, compressed or not. With `platforms`, only those of each image. */
  load(
    archive: AsyncIterable<Uint8Array>,
    options: Omit<TransferOptions, 'auth' | 'platform'> & { readonly platforms?: readonly Platform[] },
  ): Promise<void>;
  /** Writes a docker-archive that is an OCI layout too. With `platforms`, only those of each image. */
  save(
    references: readonly string[],
    options: { signal: AbortSignal; platforms?: readonly Platform[] },
  ): Promise<Readable>;
  /** A root file system as one layer; returns the id. */
  import(
    archive: AsyncIterable<Uint8Array>,
    options: {
      reference?: string;
      message?: string;
      config?: ImageRuntimeConfig;
      platform?: Platform;
      signal: AbortSignal;
      report(event: ProgressEvent): void;
    },
  ): Promise<Digest>;
  /** Makes an image of a container's writable layer. */
  commit(spec: CommitSpec, options: { signal: AbortSignal }): Promise<Digest>;
  /** Makes sure that the embedded hello-world exists under `hello-world:latest`. No network is needed. */
  ensureHelloWorld(): Promise<void>;
  /** History, newest first, with the size of each layer. */
  history(reference: string): readonly (HistoryEntry & {
    readonly id: string;
    readonly size: number;
    readonly tags: readonly string[];
  })[];
  /**
   * Reads images again from the disk, all without `references`: documents and layers against their digests, unpacked
   * layers against their blobs. With `repair`, what is wrong is fetched from where it came, or unpacked again.
   */
  verify(
    references: readonly string[] | undefined,
    options: { readonly repair: boolean; readonly auth?: RegistryAuth; readonly signal: AbortSignal },
  ): Promise<readonly VerifiedImage[]>;
  /** Marks from names, containers (port `roots`) and leases, and sweeps content and snapshots. */
  collectGarbage(options?: {
    /** Also what interrupted pulls have left to be taken up again: the room is needed. */
    readonly interrupted?: boolean;
  }): Promise<{ readonly removed: readonly Digest[]; readonly bytes: number }>;
}
