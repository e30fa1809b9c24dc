import type { Readable } from 'node:stream';
import type { Digest } from '#oci';

export interface BlobInfo {
  readonly digest: Digest;
  /** bytes */
  readonly size: number;
}

/** A blob on its way in. Disposed without commit(), it leaves nothing behind (a keyed ingest keeps its bytes for resuming). */
export interface Ingest extends AsyncDisposable {
  /** Bytes already held (> 0 only when a keyed ingest resumes). */
  readonly offset: number;
  /** Appends; resolves once the bytes are accepted (backpressure). */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * At most `length` of the bytes written so far, from `position` on; none where there are none yet. Not verified.
   * Rejects once the ingest is over.
   */
  read(position: number, length: number): Promise<Uint8Array>;
  /**
   * Verifies digest and size against what was expected, makes the blob durable (fsync, rename, folder fsync) and
   * visible. A blob that is already there is kept. Rejects with invalidArgument on a mismatch, leaving nothing.
   * `digest`: what it must turn out to be, where that is known only now.
   */
  commit(digest?: Digest): Promise<BlobInfo>;
  /** Leaves nothing behind, of a keyed ingest neither. */
  abandon(): Promise<void>;
}

export interface IngestOptions {
  /** What it must turn out to be; without it, the digest is computed (sha256). */
  readonly expected?: { readonly digest: Digest; readonly size?: number };
  /** A blob that is here with this digest is known to be damaged: it gives way once these bytes are verified. */
  readonly replaces?: boolean;
  /** Names a resumable ingest; the same key continues where the last one stopped. */
  readonly key?: string;
}

/**
 * Blobs by digest: immutable, verified before they are visible. Laid out as an OCI image layout
 * (`<root>/blobs/<algorithm>/<hex>`, temporary files in `<root>/ingest/`).
 */
export interface ContentStore {
  /** Removes temporary files of earlier runs; creates folders. */
  start(): Promise<void>;
  ingest(options?: IngestOptions): Promise<Ingest>;
  /** Writes a small blob that is already in memory. */
  put(data: Uint8Array, expected?: Digest): Promise<BlobInfo>;
  find(digest: Digest): Promise<BlobInfo | undefined>;
  /** Throws notFound. */
  get(digest: Digest): Promise<BlobInfo>;
  /**
   * Throws notFound; `start` and `end` in bytes, end exclusive. To the end of a blob that this process has not seen
   * whole yet, the stream fails with internal before its last bytes if they turn out damaged. `chunk`: bytes read at a
   * time; two such buffers are held.
   */
  openStream(digest: Digest, range?: { start?: number; end?: number; chunk?: number }): Promise<Readable>;
  /** Whole blob; refuses more than `limit` bytes (default 4 MiB) with invalidArgument. Throws notFound. */
  read(digest: Digest, limit?: number): Promise<Uint8Array>;
  /** The file that holds the blob, for workers that read it by themselves. Throws notFound. */
  path(digest: Digest): Promise<string>;
  /**
   * The same once the bytes were seen to be right, for workers that do not check what they read. Throws internal for a
   * damaged blob.
   */
  pathOfWhole(digest: Digest): Promise<string>;
  /** Idempotent. The caller (garbage collection) has made sure that nothing refers to it. */
  remove(digest: Digest): Promise<void>;
  walk(): AsyncIterable<BlobInfo>;
  /** Bytes of ingests that were broken off and that nobody goes on with now. */
  partials(): Promise<number>;
  /** Removes them; answers the bytes. */
  removePartials(): Promise<number>;
}
