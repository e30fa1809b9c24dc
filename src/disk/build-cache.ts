import type { Digest } from '#oci';
import { keysOf } from './ledger.ts';

/** A record of the builder's cache: a layer, or a folder of its own. */
export interface CacheEntry {
  readonly id: string;
  /** Records that this one stands on: they go after it. */
  readonly parents: readonly string[];
  /** In BuildKit's words: `regular`, `exec.cachemount`, `source.local`. */
  readonly kind: string;
  readonly description: string;
  /** Bytes in allocated blocks: what removing it frees; of a shared one what it takes. */
  readonly bytes: number;
  /** Nanoseconds since the epoch. */
  readonly createdAt: bigint;
  readonly usedAt: bigint;
  readonly uses: number;
  /** A build works with it now. */
  readonly inUse: boolean;
  /** Images need it too, and account for it. */
  readonly isShared: boolean;
  /** Of a layer; its blob may be that of another layer, too. */
  readonly layer?: { readonly chainId: Digest; readonly blob: Digest };
}

/** What accounting and the collector need of a builder. */
export interface BuildCache {
  /** Parents first. */
  usage(options: { readonly signal: AbortSignal }): Promise<readonly CacheEntry[]>;
  /** Answers the bytes that were freed. Throws conflict where it is needed by now, notFound. */
  remove(id: string, options: { readonly signal: AbortSignal }): Promise<number>;
}

/** The keys under which a ledger has what an entry needs; none for folders. */
export const keysOfEntry = ({ layer }: CacheEntry): readonly string[] =>
  layer ? keysOf({ blobs: new Set([layer.blob]), chainIds: [layer.chainId] }) : [];
