import type { Digest } from '#oci';
import { matches } from './access.ts';
import { sizeInWords } from './configuration/units.ts';
import { RegistryError } from './registry-error.ts';

/** How much repositories may hold, each by itself. The first rule that fits a repository decides. */
export interface QuotaRule {
  /** Names, or patterns as in access rules. */
  readonly repositories: readonly string[];
  /** bytes */
  readonly size: number;
}

/** What quotas need to know. */
export interface RepositoryUsage {
  /** Bytes of the distinct blobs and manifests that a repository holds, without what only waits for collection. */
  used(repository: string): number;
  /** Whether these bytes are counted already. */
  counts(repository: string, digest: Digest): boolean;
  transaction<T>(body: () => T): T;
}

/** Refuses what would make a repository larger than it may be. */
export class Quotas {
  rules: readonly QuotaRule[];
  readonly #usage: RepositoryUsage;
  /** Bytes of uploads that are being written, by repository and upload. */
  readonly #incoming = new Map<string, Map<string, number>>();
  /** Uploads of what is counted already, with its size in bytes. */
  readonly #repeated = new Map<string, number>();

  constructor(usage: RepositoryUsage, rules: readonly QuotaRule[]) {
    this.#usage = usage;
    this.rules = rules;
  }

  /** Bytes; undefined: as much as fits the disk. */
  limit(repository: string): number | undefined {
    return this.rules.find((rule) => rule.repositories.some(matches(repository)))?.size;
  }

  /** Runs a change of the records; undoes it and throws DENIED if it makes a repository larger than it may be. */
  admit(repository: string, change: () => void): void {
    const limit = this.limit(repository);
    if (limit === undefined) {
      change();
      return;
    }
    this.#usage.transaction(() => {
      const before = this.#usage.used(repository);
      change();
      const after = this.#usage.used(repository);
      // Below a limit that was lowered, what is there may be pushed again.
      if (after > limit && after > before) throw exceeded(repository, before, limit, after - before);
    });
  }

  /** Throws DENIED where a blob of that size does not fit. */
  checkBlob(repository: string, digest: Digest, size: number): void {
    const limit = this.limit(repository);
    if (limit === undefined || this.#usage.counts(repository, digest)) return;
    const used = this.#usage.used(repository);
    if (used + size > limit) throw exceeded(repository, used, limit, size);
  }

  /**
   * An upload has, or is about to have, so many bytes. All that are being written count together, so that they do not
   * fill the disk before the first of them is refused. Throws DENIED.
   */
  grow(repository: string, upload: string, size: number): void {
    const limit = this.limit(repository);
    if (limit === undefined || size <= (this.#repeated.get(upload) ?? -1)) return;
    const uploads = this.#incoming.get(repository) ?? new Map<string, number>();
    const others = [...uploads].reduce((sum, [id, bytes]) => (id === upload ? sum : sum + bytes), 0);
    const used = this.#usage.used(repository);
    if (used + others + size > limit) throw exceeded(repository, used, limit, size, others);
    this.#incoming.set(repository, uploads.set(upload, size));
  }

  /** An upload is said to become a blob that the repository may hold already: then it needs no room. */
  expect(repository: string, upload: string, digest: Digest, size: number | undefined): void {
    if (size !== undefined && this.#usage.counts(repository, digest)) this.#repeated.set(upload, size);
  }

  /** The upload is finished, given up, or nobody writes to it any more. */
  end(upload: string): void {
    this.#repeated.delete(upload);
    for (const [repository, uploads] of this.#incoming) {
      if (uploads.delete(upload) && uploads.size === 0) this.#incoming.delete(repository);
    }
  }
}

function exceeded(
  repository: string,
  used: number,
  limit: number,
  needed: number,
  incoming = 0,
): RegistryError {
  const others = incoming === 0 ? '' : `, ${sizeInWords(incoming)} are on their way`;
  return new RegistryError(
    403,
    'DENIED',
    `quota of ${repository} exceeded: ${sizeInWords(used)} of ${sizeInWords(limit)} are used${others}, and this needs ${sizeInWords(needed)} more; delete images of it, or ask for a larger quota`,
    { detail: { repository, used, limit, needed } },
  );
}
