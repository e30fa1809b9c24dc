import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { algorithmOf, hexOf, parseDigest, type Digest } from '#oci';

/** Where things lie under a store's root (image-spec image-layout.md). */
export class BlobPaths {
  readonly root: string;
  readonly blobs: string;
  /** Bytes on their way in; the same file system as the blobs, so that a rename makes them visible. */
  readonly ingests: string;

  constructor(root: string) {
    this.root = root;
    this.blobs = join(root, 'blobs');
    this.ingests = join(root, 'ingest');
  }

  folder(algorithm: string): string {
    return join(this.blobs, algorithm);
  }

  /** Checks the digest once more: a forged one must never become a path. Throws invalidArgument. */
  blob(digest: Digest): string {
    const checked = parseDigest(digest);
    return join(this.folder(algorithmOf(checked)), hexOf(checked));
  }

  /** A keyed ingest's file. The digest takes part, so that a key meant for other bytes never resumes these. */
  keyed(key: string, expected: Digest | undefined): string {
    const name = createHash('sha256')
      .update(`${key}\0${expected ?? ''}`)
      .digest('hex');
    return join(this.ingests, `${keyedPrefix}${name}`);
  }

  unkeyed(id: string): string {
    return join(this.ingests, `new-${id}`);
  }
}

export const keyedPrefix = 'key-';
