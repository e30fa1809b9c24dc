import type { Digest } from '#oci';

/**
 * How a snapshot becomes a root file system. `lower` is ordered from the top layer to the base; without `upper`
 * it is read-only; with no `lower` the upper folder itself is the file system (bind).
 */
export interface SnapshotMounts {
  readonly lower: readonly string[];
  readonly upper?: string;
  readonly work?: string;
  /** Set when `upper` is a full copy of this parent's tree (no overlay), for comparing the two. */
  readonly base?: string;
}

export type SnapshotKind = 'active' | 'committed';

export interface SnapshotInfo {
  /** chainID of a committed snapshot; container id or a temporary name of an active one. */
  readonly key: string;
  readonly parent: string | undefined;
  readonly kind: SnapshotKind;
  /** Bytes of a committed snapshot's own files (apparent size, hard links once), 0 for active ones. */
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly createdAt: bigint;
}

/**
 * Layers of file systems. Life: prepare(key, parent) makes a writable active snapshot on a committed parent (or
 * on nothing); commit(name, key) freezes it under a chainID; remove() deletes one that has no children. Only
 * committed snapshots may be parents. A crash between two steps leaves rows and folders that start() reconciles.
 */
export interface Snapshotter extends AsyncDisposable {
  start(): Promise<void>;
  /** Throws conflict if the key exists, notFound without the parent, invalidArgument if the parent is active. */
  prepare(
    key: string,
    parent: string | undefined,
    options?: {
      /** The most that its own files may take, in bytes. Throws internal where the file system cannot limit them. */
      readonly sizeLimit?: number;
    },
  ): Promise<SnapshotMounts>;
  /** Throws notFound. */
  mounts(key: string): SnapshotMounts;
  find(key: string): SnapshotInfo | undefined;
  /** Freezes an active snapshot; if `name` exists already the active one is dropped and the existing kept. */
  commit(name: Digest, key: string, options: { size: number }): Promise<void>;
  /**
   * Gives a committed snapshot the files of an active one (`by`, which is gone then) on the same parent. Nobody may
   * have it mounted, or what stands on it: `check` is asked at the last moment, and leaves all as it is by throwing.
   * Throws notFound, invalidArgument.
   */
  replace(name: Digest, by: string, options?: { check?(): void }): Promise<void>;
  /**
   * Resolves once all that was committed so far is on the disk. A committed snapshot that was not flushed is gone after
   * a loss of power, with all that stand on it.
   */
  flush(): Promise<void>;
  /** Throws conflict while children exist; idempotent otherwise. Files are deleted in the background. */
  remove(key: string): Promise<void>;
  list(): readonly SnapshotInfo[];
  /** Bytes and inodes of an active snapshot's own files right now. */
  usage(key: string, options?: { signal?: AbortSignal }): Promise<{ size: number; inodes: number }>;
  /** Bytes that its whole folder takes on disk, as du(1) counts them. Of a committed one they are counted only once. */
  disk(key: string, options?: { signal?: AbortSignal }): Promise<number>;
  /** Resolves when what was removed so far is off the disk. */
  emptied(): Promise<void>;
  /**
   * Mounts the snapshot at target (a folder that exists). The caller unmounts it. What is written there is not flushed,
   * whoever asks for it: a commit and flush() are what makes it outlive a crash of the host.
   */
  mount(key: string, target: string, options?: { readonly?: boolean }): void;
}
