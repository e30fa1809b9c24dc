import type { ContainerSummary } from './container-summary.ts';
import type { ImageSummary } from './image.ts';
import type { Volume } from './volume.ts';
import type { WharfDiskUsage } from './wharf-disk.ts';

export interface BuildCache {
  readonly ID: string;
  readonly Parents?: readonly string[] | null;
  readonly Type: string;
  readonly Description: string;
  readonly InUse: boolean;
  readonly Shared: boolean;
  readonly Size: number;
  readonly CreatedAt: string;
  readonly LastUsedAt?: string | null;
  readonly UsageCount: number;
}

/** Use of the disk by one noun; bytes. `Items` only with `verbose=1`. */
export interface UsageOf<Item> {
  readonly ActiveCount: number;
  readonly TotalCount: number;
  readonly Reclaimable: number;
  readonly TotalSize: number;
  readonly Items?: readonly Item[];
}

/** What GET /system/df answers since 1.52. */
export interface DiskUsage {
  readonly ImageUsage?: UsageOf<ImageSummary>;
  readonly ContainerUsage?: UsageOf<ContainerSummary>;
  readonly VolumeUsage?: UsageOf<Volume>;
  readonly BuildCacheUsage?: UsageOf<BuildCache>;
  /** Only where everything is asked for. */
  readonly Wharf?: WharfDiskUsage;
}

/** What it answers to older clients. */
export interface LegacyDiskUsage {
  readonly LayersSize?: number;
  readonly Images?: readonly ImageSummary[] | null;
  readonly Containers?: readonly ContainerSummary[] | null;
  readonly Volumes?: readonly Volume[] | null;
  readonly BuildCache?: readonly BuildCache[] | null;
  readonly Wharf?: WharfDiskUsage;
}
