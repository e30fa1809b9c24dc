import type { Digest } from '#oci';

/** What a record of the cache is, in BuildKit's words. */
export type CacheKind = 'regular' | 'exec.cachemount' | 'source.local';

/** One thing that the builder keeps: a layer, the folder of a cache mount, the files of build contexts. */
export interface CacheUsage {
  readonly id: string;
  /** Records that this one stands on. */
  readonly parents: readonly string[];
  readonly kind: CacheKind;
  readonly description: string;
  /** Bytes in allocated blocks: what its removal frees; of a shared one what it takes. */
  readonly bytes: number;
  /** Nanoseconds since the epoch. */
  readonly createdAt: bigint;
  readonly usedAt: bigint;
  readonly uses: number;
  /** A build works with it now. */
  readonly inUse: boolean;
  /** Images need it too. */
  readonly isShared: boolean;
  /** It changes while builds use it. */
  readonly isMutable: boolean;
  /** Of a layer; its blob may be that of another layer, too. */
  readonly layer?: { readonly chainId: Digest; readonly blob: Digest };
}

/** Bytes of what only the builder needs. */
export const privateBytes = (records: readonly CacheUsage[]): number =>
  records.reduce((sum, { bytes, isShared }) => sum + (isShared ? 0 : bytes), 0);
