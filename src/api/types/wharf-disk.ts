/** One thing that the collector removes or keeps. */
export interface WharfCollectionStep {
  readonly Kind: 'bin' | 'layers' | 'partial downloads' | 'build cache' | 'image';
  readonly Id: string;
  readonly Names: readonly string[];
  /** bytes */
  readonly Size: number;
  readonly LastUsedAt?: string;
  readonly Reason: string;
}

/** What POST /system/gc removed, or what GET /system/gc says that it would. Sizes in bytes. */
export interface WharfCollection {
  readonly Total: number;
  readonly Free: number;
  readonly LowSpace: number;
  readonly HighSpace: number;
  readonly Wanted: number;
  readonly Removed: readonly WharfCollectionStep[];
  readonly SpaceReclaimed: number;
  /** What would go if more room were needed. */
  readonly Next?: readonly WharfCollectionStep[];
  readonly Kept?: readonly WharfCollectionStep[];
}

/** An entry of GET /system/bin. */
export interface WharfBinEntry {
  readonly Kind: 'image' | 'volume';
  readonly Id: string;
  readonly Names: readonly string[];
  /** Bytes that removing it frees, after those before it. */
  readonly Size: number;
  readonly PrunedAt: string;
  readonly Until: string;
  readonly Batch: string;
}

/** The answer of POST /system/undo. */
export interface WharfUndo {
  readonly Restored: readonly {
    readonly Kind: 'image' | 'volume';
    readonly Id: string;
    readonly Names: readonly string[];
    readonly Problem?: string;
  }[];
}

/** What of the data root is no noun's, in GET /system/df; bytes. */
export interface WharfDiskUsage {
  /** Of `Images`, that is part of LayersSize. */
  readonly Bin: { readonly Count: number; readonly Images: number; readonly Volumes: number };
  readonly Records: number;
}

/** In the answer of a prune that put things into the bin. */
export interface WharfPrune {
  readonly Binned: boolean;
}

/** The answer of POST /images/verify: the images that were looked at. */
export interface WharfVerification {
  readonly Images: readonly {
    readonly Id: string;
    readonly Names: readonly string[];
    readonly Defects: readonly {
      readonly Kind: 'blob' | 'layer';
      readonly Digest: string;
      readonly Problem: string;
      readonly Repaired: boolean;
      readonly Remedy?: string;
    }[];
  }[];
}
