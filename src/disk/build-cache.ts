/** A record of the builder's cache. */
export interface CacheEntry {
  readonly id: string;
  readonly description: string;
  /** Bytes that removing it frees. */
  readonly bytes: number;
  /** Nanoseconds since the epoch. */
  readonly lastUsed: bigint;
}

/** What the collector needs of a builder. */
export interface BuildCache {
  /** Those that nothing uses now. */
  list(): Promise<readonly CacheEntry[]>;
  /** Answers the bytes that were freed. Throws conflict where it is used by now, notFound. */
  remove(id: string): Promise<number>;
}
