export interface SystemVersion {
  readonly Platform: { readonly Name: string };
  readonly Components?: readonly {
    readonly Name: string;
    readonly Version: string;
    readonly Details?: Readonly<Record<string, string>> | null;
  }[];
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly GitCommit: string;
  readonly GoVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion?: string;
  readonly Experimental?: boolean;
  readonly BuildTime?: string;
}

export interface PluginsInfo {
  readonly Volume: readonly string[] | null;
  readonly Network: readonly string[] | null;
  readonly Authorization: readonly string[] | null;
  readonly Log: readonly string[] | null;
}

export interface IndexInfo {
  readonly Name: string;
  readonly Mirrors: readonly string[];
  readonly Secure: boolean;
  readonly Official: boolean;
}

export interface RegistryServiceConfig {
  readonly InsecureRegistryCIDRs: readonly string[];
  readonly IndexConfigs: Readonly<Record<string, IndexInfo>>;
  readonly Mirrors: readonly string[] | null;
}

/** An OCI runtime. */
export interface Runtime {
  readonly path?: string;
  readonly runtimeArgs?: readonly string[] | null;
  readonly status?: Readonly<Record<string, string>> | null;
}

export interface Commit {
  readonly ID: string;
}

export type LocalNodeState = '' | 'inactive' | 'pending' | 'active' | 'error' | 'locked';

export interface SwarmInfo {
  readonly NodeID: string;
  readonly NodeAddr: string;
  readonly LocalNodeState: LocalNodeState;
  readonly ControlAvailable: boolean;
  readonly Error: string;
  readonly RemoteManagers: readonly { readonly NodeID: string; readonly Addr: string }[] | null;
  readonly Nodes?: number | null;
  readonly Managers?: number | null;
}

export interface ContainerdInfo {
  readonly Address?: string;
  readonly Namespaces?: { readonly Containers?: string; readonly Plugins?: string };
}

export interface FirewallInfo {
  readonly Driver: string;
  readonly Info?: readonly (readonly string[])[];
}

export interface SystemInfo {
  readonly ID: string;
  readonly Containers: number;
  readonly ContainersRunning: number;
  readonly ContainersPaused: number;
  readonly ContainersStopped: number;
  readonly Images: number;
  readonly Driver: string;
  readonly DriverStatus: readonly (readonly [string, string])[];
  readonly DockerRootDir: string;
  readonly Plugins: PluginsInfo;
  readonly MemoryLimit: boolean;
  readonly SwapLimit: boolean;
  readonly CpuCfsPeriod: boolean;
  readonly CpuCfsQuota: boolean;
  readonly CPUShares: boolean;
  readonly CPUSet: boolean;
  readonly PidsLimit: boolean;
  readonly OomKillDisable: boolean;
  readonly IPv4Forwarding: boolean;
  readonly Debug: boolean;
  readonly NFd: number;
  readonly NGoroutines: number;
  readonly SystemTime: string;
  readonly LoggingDriver: string;
  readonly CgroupDriver: 'cgroupfs' | 'systemd' | 'none';
  readonly CgroupVersion: '1' | '2';
  readonly NEventsListener: number;
  readonly KernelVersion: string;
  readonly OperatingSystem: string;
  readonly OSVersion: string;
  readonly OSType: string;
  /** As `uname -m` says it. */
  readonly Architecture: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly IndexServerAddress: string;
  readonly RegistryConfig: RegistryServiceConfig | null;
  readonly GenericResources: readonly object[] | null;
  readonly HttpProxy: string;
  readonly HttpsProxy: string;
  readonly NoProxy: string;
  readonly Name: string;
  readonly Labels: readonly string[] | null;
  readonly ExperimentalBuild: boolean;
  readonly ServerVersion: string;
  readonly Runtimes: Readonly<Record<string, Runtime>>;
  readonly DefaultRuntime: string;
  readonly Swarm: SwarmInfo;
  readonly LiveRestoreEnabled: boolean;
  readonly Isolation: string;
  readonly InitBinary: string;
  readonly ContainerdCommit: Commit;
  readonly RuncCommit: Commit;
  readonly InitCommit: Commit;
  readonly SecurityOptions: readonly string[] | null;
  readonly ProductLicense?: string;
  readonly DefaultAddressPools?: readonly { readonly Base: string; readonly Size: number }[];
  readonly FirewallBackend?: FirewallInfo | null;
  readonly DiscoveredDevices?: readonly { readonly Source: string; readonly ID: string }[];
  readonly CDISpecDirs: readonly string[] | null;
  readonly Containerd?: ContainerdInfo | null;
  readonly Warnings: readonly string[] | null;
}
