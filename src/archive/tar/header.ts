export const blockSize = 512;

export type TarType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'folder' | 'fifo';

/** A run of data in a sparse file, in bytes. */
export interface SparseRun {
  readonly offset: number;
  readonly length: number;
}

/**
 * One entry of a tar. Names are strings made by pathFromBytes(), exactly as stored: with `..`, with or without
 * leading and trailing slashes.
 */
export interface TarHeader {
  readonly name: string;
  readonly type: TarType;
  /** Target of a hard or symbolic link. */
  readonly linkName: string;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  readonly groupName: string;
  /** Bytes of the file once unpacked; 0 for everything but files. */
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Where the stored bytes belong, for a sparse file. */
  readonly sparse?: readonly SparseRun[];
}

/** A header as it was read, with what the archive holds of it. */
export interface StoredHeader extends TarHeader {
  /** Bytes that follow in the archive, without padding. */
  readonly stored: number;
}

const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();

/** A header with defaults for what is not given: an empty root-owned 0644 file from 1970. */
export function tarHeader(fields: Partial<TarHeader> & Pick<TarHeader, 'name'>): TarHeader {
  return {
    type: 'file',
    linkName: '',
    mode: fields.type === 'folder' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    userName: '',
    groupName: '',
    size: 0,
    mtime: 0n,
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: noXattrs,
    ...fields,
  };
}

/** Bytes from the end of a file's data to the next block. */
export const paddingOf = (size: number): number => (blockSize - (size % blockSize)) % blockSize;
