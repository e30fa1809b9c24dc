export interface ThrottleDevice {
  readonly Path?: string;
  readonly Rate?: number;
}

export interface WeightDevice {
  readonly Path?: string;
  readonly Weight?: number;
}

export interface DeviceMapping {
  readonly PathOnHost?: string;
  readonly PathInContainer?: string;
  /** of `rwm` */
  readonly CgroupPermissions?: string;
}

export interface DeviceRequest {
  readonly Driver?: string;
  /** -1: all */
  readonly Count?: number;
  readonly DeviceIDs?: readonly string[] | null;
  /** An OR of ANDs. */
  readonly Capabilities?: readonly (readonly string[])[] | null;
  readonly Options?: Readonly<Record<string, string>> | null;
}

export interface Ulimit {
  readonly Name?: string;
  readonly Soft?: number;
  readonly Hard?: number;
}

export interface RestartPolicy {
  readonly Name?: '' | 'no' | 'always' | 'unless-stopped' | 'on-failure';
  readonly MaximumRetryCount?: number;
}

/** Limits of a container's cgroup; memory in bytes, 0: no limit. */
export interface Resources {
  readonly CpuShares?: number;
  readonly Memory?: number;
  readonly CgroupParent?: string;
  readonly BlkioWeight?: number;
  readonly BlkioWeightDevice?: readonly WeightDevice[] | null;
  readonly BlkioDeviceReadBps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteBps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceReadIOps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteIOps?: readonly ThrottleDevice[] | null;
  /** microseconds */
  readonly CpuPeriod?: number;
  /** microseconds */
  readonly CpuQuota?: number;
  readonly CpuRealtimePeriod?: number;
  readonly CpuRealtimeRuntime?: number;
  readonly CpusetCpus?: string;
  readonly CpusetMems?: string;
  readonly Devices?: readonly DeviceMapping[] | null;
  readonly DeviceCgroupRules?: readonly string[] | null;
  readonly DeviceRequests?: readonly DeviceRequest[] | null;
  readonly MemoryReservation?: number;
  /** memory plus swap; -1: unlimited swap */
  readonly MemorySwap?: number;
  /** 0–100; -1 or null: the host's */
  readonly MemorySwappiness?: number | null;
  /** 1e-9 CPUs */
  readonly NanoCpus?: number;
  readonly OomKillDisable?: boolean | null;
  /** null: the daemon's default */
  readonly Init?: boolean | null;
  /** 0, -1 or null: unlimited */
  readonly PidsLimit?: number | null;
  readonly Ulimits?: readonly Ulimit[] | null;
  /** Windows only, as are the next three. */
  readonly CpuCount?: number;
  readonly CpuPercent?: number;
  readonly IOMaximumIOps?: number;
  readonly IOMaximumBandwidth?: number;
  /** Gone since 1.54; read from older clients. */
  readonly KernelMemory?: number;
  readonly KernelMemoryTCP?: number;
}
