import type { WharfPrune } from './wharf-disk.ts';

export interface VolumeUsageData {
  /** bytes; -1: not known */
  readonly Size: number;
  /** containers that use it; -1: not known */
  readonly RefCount: number;
}

export interface Volume {
  readonly Name: string;
  readonly Driver: string;
  readonly Mountpoint: string;
  readonly CreatedAt?: string;
  readonly Status?: Readonly<Record<string, unknown>>;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Scope: 'local' | 'global';
  readonly Options: Readonly<Record<string, string>> | null;
  /** Only in GET /system/df. */
  readonly UsageData?: VolumeUsageData | null;
}

/** The body of POST /volumes/create. */
export interface VolumeCreateRequest {
  readonly Name?: string;
  readonly Driver?: string;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

export interface VolumeListResponse {
  readonly Volumes: readonly Volume[] | null;
  readonly Warnings: readonly string[] | null;
}

export interface VolumesPruneResponse {
  readonly VolumesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
  readonly Wharf?: WharfPrune;
}
