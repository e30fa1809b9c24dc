import type { EntryType } from '#filesync';

/** One entry of a build context; contents stand in the file store under their digest. */
export interface TreeEntry {
  /** Relative to the context's root, clean, with slashes. */
  readonly path: string;
  readonly type: EntryType;
  /** Permission bits with set-uid, set-gid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** bytes of a file; 0 for everything else */
  readonly size: number;
  /** nanoseconds since the epoch */
  readonly modTime: bigint;
  /** Of a symbolic link its target as it stands; of a hard link the path of the file. */
  readonly linkname: string;
  readonly devmajor: number;
  readonly devminor: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** SHA-256 of a file's contents, in hexadecimal; '' for everything else. A hard link has that of its file. */
  readonly digest: string;
  /** Where a file's contents are in the store; undefined for everything else. */
  readonly stored: StoredContents | undefined;
}

/** Contents of one file in a file of the store, which may hold others before and after. */
export interface StoredContents {
  /** Its name in the store's folder. */
  readonly file: string;
  /** bytes */
  readonly offset: number;
}

/** A context: its entries by path, directories before what is in them. */
export type Tree = ReadonlyMap<string, TreeEntry>;
