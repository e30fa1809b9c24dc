export type MountType = 'bind' | 'cluster' | 'image' | 'npipe' | 'tmpfs' | 'volume';

export type MountPropagation = '' | 'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave';

/** A mount as asked for in `HostConfig.Mounts` (`--mount`). */
export interface Mount {
  readonly Target?: string;
  readonly Source?: string;
  readonly Type?: MountType;
  readonly ReadOnly?: boolean;
  readonly Consistency?: string;
  readonly BindOptions?: BindOptions | null;
  readonly VolumeOptions?: VolumeOptions | null;
  readonly ImageOptions?: ImageOptions | null;
  readonly TmpfsOptions?: TmpfsOptions | null;
}

export interface BindOptions {
  readonly Propagation?: MountPropagation;
  readonly NonRecursive?: boolean;
  readonly CreateMountpoint?: boolean;
  readonly ReadOnlyNonRecursive?: boolean;
  readonly ReadOnlyForceRecursive?: boolean;
}

export interface VolumeOptions {
  readonly NoCopy?: boolean;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly DriverConfig?: {
    readonly Name?: string;
    readonly Options?: Readonly<Record<string, string>> | null;
  } | null;
  readonly Subpath?: string;
}

export interface ImageOptions {
  readonly Subpath?: string;
}

export interface TmpfsOptions {
  readonly SizeBytes?: number;
  /** File mode bits. */
  readonly Mode?: number;
  /** `["size", "1g"]` or `["noexec"]` */
  readonly Options?: readonly (readonly string[])[] | null;
}

/** A mount as a container has it. */
export interface MountPoint {
  readonly Type?: MountType;
  /** Volumes only. */
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}
