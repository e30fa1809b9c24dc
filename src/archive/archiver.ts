import type { Readable } from 'node:stream';
import type { Digest } from '#oci';
import type { TarHeader } from './tar/header.ts';

/**
 * The folders of a layer that is being made or looked at; SnapshotMounts of #snapshots fits. `lower` is ordered from
 * the top layer to the base. With `base`, upper is a full copy of that tree (no overlay) and has changed since.
 */
export interface LayerFolders {
  readonly lower: readonly string[];
  readonly upper?: string;
  readonly base?: string;
}

/** Where an archive comes from: a file that a worker reads by itself (fastest), or bytes on their way. */
export type ArchiveSource = { readonly path: string } | { readonly stream: AsyncIterable<Uint8Array> };

/** Exceeding one rejects with invalidArgument. */
export interface ArchiveLimits {
  /** Sum of the files' sizes, in bytes. */
  readonly size?: number;
  readonly entries?: number;
}

interface Cancellable {
  readonly signal: AbortSignal;
}

export interface ApplyLayerOptions extends Cancellable {
  /** Where to; whiteouts become what the snapshot needs: overlay's own form over lowers, deletions in a copy. */
  readonly mounts: LayerFolders;
  readonly limits?: ArchiveLimits;
  /** Also computes the digest of the bytes as they came (compressed, if they were). */
  readonly wantDigest?: boolean;
}

export interface AppliedLayer {
  /** sha256 of the uncompressed tar */
  readonly diffId: Digest;
  /** Sum of the files' sizes, hard links once, in bytes. */
  readonly size: number;
  readonly entries: number;
  /** Of the bytes as they came, with their count, when asked for. */
  readonly digest?: Digest;
  readonly compressedSize?: number;
}

export interface UnpackOptions extends Cancellable {
  /** No entry, link or `..` leaves this folder. */
  readonly root: string;
  /** A folder under the root, `/` by default; symbolic links in it resolve inside the root. */
  readonly path?: string;
  /** Replacing a folder by something else, or the other way round, rejects with invalidArgument. */
  readonly keepKinds?: boolean;
  /** Owner of everything unpacked, in place of what the archive says. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly limits?: ArchiveLimits;
}

export interface UnpackedArchive {
  readonly size: number;
  readonly entries: number;
}

export interface PackOptions extends Cancellable {
  readonly root: string;
  /**
   * What to pack: a file or folder under the root; links on the way resolve inside it. The last one is packed as it is,
   * unless the path ends with a slash.
   */
  readonly path?: string;
  /** Name of the topmost entry; by default the base name of `path`. With '' only the contents come, without a prefix. */
  readonly name?: string;
  /** Time of every entry, in nanoseconds, in place of its own. */
  readonly mtime?: bigint;
}

export interface PackedArchive {
  /** sha256 of the uncompressed tar */
  readonly diffId: Digest;
  /** Sum of the files' sizes, in bytes. */
  readonly size: number;
  readonly entries: number;
}

/** Something found in a tree. A file with several names is a hard link to its first one from the second name on. */
export interface ListedEntry {
  /** The name is relative to the folder that was asked for; times are whole. */
  readonly header: TarHeader;
  /** In hexadecimal, of a file's contents. */
  readonly sha256?: string;
}

/** Something to be put into a tree. */
export interface PlacedEntry {
  readonly header: TarHeader;
  /**
   * A file's contents: some of a file of the host, a file under a root, which links do not lead out of, or the bytes
   * themselves.
   */
  readonly from?:
    FileRange | { readonly root: string; readonly path: string } | { readonly bytes: Uint8Array };
}

/** Some of a file of the host, or all of it. */
export interface FileRange {
  readonly file: string;
  /** bytes */
  readonly offset: number;
  /** bytes */
  readonly size: number;
}

export interface TreeUsage {
  /** Apparent bytes of the files. */
  readonly size: number;
  readonly inodes: number;
  /** Bytes of all allocated blocks, those of folders too, as du(1) counts. */
  readonly allocated: number;
}

/** An archive on its way out. `done` settles after the last byte; it rejects when the stream is destroyed. */
export interface ArchiveStream {
  readonly stream: Readable;
  readonly done: Promise<PackedArchive>;
}

export type ChangeKind = 'modified' | 'added' | 'deleted';

export interface Change {
  /** Absolute, as the container sees it. */
  readonly path: string;
  readonly kind: ChangeKind;
}

/**
 * Everything slow about archives and trees of files, in worker threads. Failures are EngineErrors: invalidArgument
 * for a bad archive (with the entry's name), else errors that keep the errno name in `code`. An aborted job
 * rejects with the signal's reason; what it has already written stays, for the caller to remove.
 */
export interface Archiver extends AsyncDisposable {
  /** Unpacks a layer, compressed or not, with OCI whiteouts. */
  applyLayer(source: ArchiveSource, options: ApplyLayerOptions): Promise<AppliedLayer>;
  /** Unpacks any tar, compressed or not, as it is. */
  unpack(source: ArchiveSource, options: UnpackOptions): Promise<UnpackedArchive>;
  /** The snapshot's own changes as an OCI layer, in a deterministic order; gzip only if asked. */
  diffLayer(options: Cancellable & { mounts: LayerFolders; compression?: 'none' | 'gzip' }): ArchiveStream;
  /**
   * A layer, compressed or not, as an uncompressed tar in which nothing is later than `latest` (nanoseconds), and owners
   * are numbers alone. Entries and their order stay.
   */
  clampTimes(source: { readonly path: string }, options: Cancellable & { latest: bigint }): ArchiveStream;
  /** A tar of a file or folder as it is. */
  pack(options: PackOptions): ArchiveStream;
  /** What differs from the layers below, as Docker's `/changes` lists it, sorted by path. */
  changes(options: Cancellable & { mounts: LayerFolders }): Promise<readonly Change[]>;
  /**
   * Copies the contents of a folder into another (which exists) with owners, modes, times, extended attributes
   * and hard links; also applies the folder's own owner and mode. Symbolic links in `path` resolve inside `root`.
   * Throws notFound if `path` does not exist, invalidArgument if it is not a folder.
   */
  copyTree(options: Cancellable & { root: string; path?: string; target: string }): Promise<void>;
  /**
   * Everything in a folder under a root, sorted by name, a folder before its contents; the folder itself comes first as
   * `.`. Throws notFound. `digests`: also the SHA-256 of files; `depth`: how far down
   * it goes, all the way by default.
   */
  listTree(
    options: Cancellable & { root: string; path?: string; digests?: boolean; depth?: number },
  ): Promise<readonly ListedEntry[]>;
  /**
   * Puts entries under a root that nothing leaves, in their order, replacing what is there; but a folder is never replaced
   * by something else, nor the other way round: throws invalidArgument. Entries named `.` set the attributes of the root.
   */
  placeEntries(options: Cancellable & { root: string; entries: readonly PlacedEntry[] }): Promise<void>;
  /** What a tree takes, hard links counted once, the topmost folder and other file systems not at all. */
  usage(path: string, options: Cancellable): Promise<TreeUsage>;
  /** Deletes a tree; a missing one is no error. */
  removeTree(path: string, options: Cancellable): Promise<void>;
  /** Everything written so far to the file system that a path lies on is on its disk: it survives a loss of power. */
  sync(path: string, options: Cancellable): Promise<void>;
  /** The digest of a file's bytes, in hex. */
  digest(path: string, options: Cancellable & { algorithm: 'sha256' | 'sha384' | 'sha512' }): Promise<string>;
  /**
   * How the files of a layer differ from the `model` folder that they should equal, contents and all: a line for each
   * path, 20 at most.
   */
  compareTrees(path: string, options: Cancellable & { model: string }): Promise<readonly string[]>;
}
