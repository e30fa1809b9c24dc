/** Samples of a container's cgroup and interfaces. Times in nanoseconds, sizes in bytes. */

export interface ContainerThrottlingData {
  readonly periods: number;
  readonly throttled_periods: number;
  readonly throttled_time: number;
}

export interface ContainerCPUUsage {
  readonly total_usage: number;
  readonly percpu_usage?: readonly number[] | null;
  readonly usage_in_kernelmode: number;
  readonly usage_in_usermode: number;
}

export interface ContainerCPUStats {
  readonly cpu_usage: ContainerCPUUsage;
  readonly system_cpu_usage?: number | null;
  readonly online_cpus?: number | null;
  readonly throttling_data: ContainerThrottlingData;
}

export interface ContainerMemoryStats {
  readonly usage?: number;
  readonly max_usage?: number;
  readonly stats?: Readonly<Record<string, number>>;
  readonly failcnt?: number;
  readonly limit?: number;
}

export interface ContainerPidsStats {
  readonly current?: number;
  readonly limit?: number;
}

export interface ContainerBlkioStatEntry {
  readonly major: number;
  readonly minor: number;
  readonly op: string;
  readonly value: number;
}

export interface ContainerBlkioStats {
  readonly io_service_bytes_recursive: readonly ContainerBlkioStatEntry[] | null;
  readonly io_serviced_recursive: readonly ContainerBlkioStatEntry[] | null;
  readonly io_queue_recursive: readonly ContainerBlkioStatEntry[] | null;
  readonly io_service_time_recursive: readonly ContainerBlkioStatEntry[] | null;
  readonly io_wait_time_recursive: readonly ContainerBlkioStatEntry[] | null;
  readonly io_merged_recursive: readonly ContainerBlkioStatEntry[] | null;
  readonly io_time_recursive: readonly ContainerBlkioStatEntry[] | null;
  readonly sectors_recursive: readonly ContainerBlkioStatEntry[] | null;
}

export interface ContainerNetworkStats {
  readonly rx_bytes: number;
  readonly rx_packets: number;
  readonly rx_errors: number;
  readonly rx_dropped: number;
  readonly tx_bytes: number;
  readonly tx_packets: number;
  readonly tx_errors: number;
  readonly tx_dropped: number;
}

export interface ContainerStatsResponse {
  readonly id?: string | null;
  readonly name?: string | null;
  readonly os_type?: string | null;
  readonly read: string;
  readonly preread: string;
  readonly cpu_stats: ContainerCPUStats;
  readonly precpu_stats: ContainerCPUStats;
  readonly memory_stats: ContainerMemoryStats;
  /** By interface; missing without a network of its own. */
  readonly networks?: Readonly<Record<string, ContainerNetworkStats>> | null;
  readonly pids_stats: ContainerPidsStats;
  readonly blkio_stats: ContainerBlkioStats;
  /** Windows only. */
  readonly num_procs: number;
  readonly storage_stats: EmptyStorageStats;
}

/** Windows only. */
export type EmptyStorageStats = Readonly<Record<string, number>>;
