import type { DiscardedImage } from '#images';
import type { Digest } from '#oci';
import type { CacheEntry } from './build-cache.ts';

export interface ImageUse {
  /** Bytes of its layers, unpacked, and of the compressed blobs that are kept for pushes. */
  readonly bytes: number;
  /** Of these, what another image needs too. */
  readonly shared: number;
}

/**
 * Where the bytes of the data root are, in allocated blocks as du(1) counts them. With everything asked for,
 * `layers + containers + volumes + cache + bin.volumes + records` is what du says of the data root.
 */
export interface DiskUse {
  readonly images?: {
    readonly each: ReadonlyMap<Digest, ImageUse>;
    /** Every blob and every unpacked layer once, those of the bin among them, but not what only the builder needs. */
    readonly layers: number;
    /** Of these, what no image that a container uses needs. */
    readonly reclaimable: number;
  };
  readonly containers?: ReadonlyMap<string, number>;
  readonly volumes?: ReadonlyMap<string, number>;
  /** What is shared counts with the images. */
  readonly cache?: readonly CacheEntry[];
  readonly bin?: { readonly count: number; readonly images: number; readonly volumes: number };
  /** The database, folders of folders, what is just being deleted. */
  readonly records?: number;
}

export type UseKind = 'image' | 'container' | 'volume' | 'build-cache';

/** Something in the bin. */
export interface BinEntry {
  readonly kind: 'image' | 'volume';
  /** Image id, or a volume's id in the bin. */
  readonly id: string;
  /** What it was called, and will be again. */
  readonly names: readonly string[];
  /** What emptying would free. */
  readonly bytes: number;
  /** Nanoseconds since the epoch. */
  readonly at: bigint;
  /** When it is removed for good at the latest. */
  readonly until: bigint;
  /** One prune's entries have one batch. */
  readonly batch: string;
}

/** Something that was taken out of the bin, or could not be. */
export interface Undone {
  readonly kind: BinEntry['kind'];
  readonly id: string;
  /** The names that it has again. */
  readonly names: readonly string[];
  /** What is not as it was, for a person. */
  readonly problem?: string;
}

/** What one prune does with each thing: into the bin, or away at once. */
export interface Prune {
  /** Whether it goes into the bin. */
  readonly binned: boolean;
  readonly image: (id: Digest) => Promise<DiscardedImage>;
  /** Answers the bytes that were freed. */
  readonly volume: (name: string) => Promise<number>;
}

export type StepKind = 'bin' | 'layers' | 'partial downloads' | 'build cache' | 'image';

/** One thing that the collector removes, or keeps. */
export interface Step {
  readonly kind: StepKind;
  readonly id: string;
  readonly names: readonly string[];
  readonly bytes: number;
  /** Nanoseconds since the epoch. */
  readonly lastUsed?: bigint;
  /** Why it goes, or stays. */
  readonly reason: string;
}

/** Bytes of the file system with the data root. */
export interface FreeSpace {
  readonly total: number;
  readonly free: number;
  /** The collector begins below this; 0: never. */
  readonly low: number;
  /** And goes on up to this. */
  readonly high: number;
}

export interface CollectorReport {
  readonly space: FreeSpace;
  /** Bytes that were to be made free. */
  readonly wanted: number;
  /** Removed, or with `dryRun` what would be, in order. */
  readonly removed: readonly Step[];
  readonly freed: number;
  /** With `explain`: what would go next if more room were needed, in order; and what never goes, and why. */
  readonly next?: readonly Step[];
  readonly kept?: readonly Step[];
}

export interface CollectOptions {
  /** Only tell. */
  readonly dryRun?: boolean;
  readonly explain?: boolean;
  /** Bytes that shall be free afterwards, in place of the configuration's. */
  readonly free?: number;
  /** What brought it about, for events and log. */
  readonly cause: string;
}

/** The disk under the data root: what takes it, what can be brought back, what goes when room is needed. */
export interface Disk extends AsyncDisposable {
  start(): void;
  /** Counts; concurrent callers share the work. */
  use(kinds: ReadonlySet<UseKind>): Promise<DiskUse>;
  /** `now`: past the bin. */
  prune(options: { readonly now: boolean }): Prune;
  /** Oldest first. */
  bin(): Promise<readonly BinEntry[]>;
  /**
   * Brings back the newest batch, or what `id` names: an image's or volume's id or name, or a batch. `name`: another name
   * for the one volume. Throws notFound.
   */
  undo(options: { readonly id?: string; readonly name?: string }): Promise<readonly Undone[]>;
  /** Removes what is in the bin for good; answers the bytes that were freed. */
  empty(kinds: ReadonlySet<BinEntry['kind']>): Promise<number>;
  collect(options: CollectOptions): Promise<CollectorReport>;
  /** For who is about to write so many bytes: frees room where it would become too little. */
  makeRoom(bytes: number, cause: string): Promise<void>;
}
