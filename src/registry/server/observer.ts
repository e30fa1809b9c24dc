import type { Digest } from '#oci';
import type { Call } from './answer.ts';
import type { ManifestEntry } from './registry-store.ts';

/** What a repository no longer has: tags alone, or a manifest with the tags that stood at it. */
export interface Deletion {
  readonly digest?: Digest;
  readonly tags: readonly string[];
}

/**
 * Is told what happens to manifests and tags. pushed() and deleted() are called within the transaction that makes it
 * so: what they write down is there if and only if that is.
 */
export interface ManifestObserver {
  pulled(call: Call, repository: string, manifest: ManifestEntry, tag: string | undefined): void;
  pushed(call: Call, repository: string, manifest: ManifestEntry, tags: readonly string[]): void;
  /** Without a call: by a retention rule. */
  deleted(call: Call | undefined, repository: string, deletion: Deletion): void;
}
