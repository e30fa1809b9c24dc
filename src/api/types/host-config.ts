import type { Mount } from './mount.ts';
import type { PortMap } from './port.ts';
import type { Resources, RestartPolicy } from './resources.ts';

export interface LogConfig {
  readonly Type?: string;
  readonly Config?: Readonly<Record<string, string>> | null;
}

/** What of a container depends on the host. Also the echo of it in inspect. */
export interface HostConfig extends Resources {
  /** `source:destination[:options]` */
  readonly Binds?: readonly string[] | null;
  readonly ContainerIDFile?: string;
  readonly LogConfig?: LogConfig;
  /** `default`, `bridge`, `host`, `none`, `container:<name|id>` or a network's name */
  readonly NetworkMode?: string;
  readonly PortBindings?: PortMap | null;
  readonly RestartPolicy?: RestartPolicy;
  readonly AutoRemove?: boolean;
  /** Ours: a container whose health is lost is ended and started again. */
  readonly RestartUnhealthy?: boolean;
  readonly VolumeDriver?: string;
  readonly VolumesFrom?: readonly string[] | null;
  readonly Mounts?: readonly Mount[] | null;
  /** rows, columns */
  readonly ConsoleSize?: readonly [number, number] | null;
  readonly Annotations?: Readonly<Record<string, string>> | null;
  readonly CapAdd?: readonly string[] | null;
  readonly CapDrop?: readonly string[] | null;
  readonly CgroupnsMode?: '' | 'private' | 'host';
  readonly Dns?: readonly string[] | null;
  readonly DnsOptions?: readonly string[] | null;
  readonly DnsSearch?: readonly string[] | null;
  /** `host:ip` */
  readonly ExtraHosts?: readonly string[] | null;
  readonly GroupAdd?: readonly string[] | null;
  readonly IpcMode?: string;
  readonly Cgroup?: string;
  /** `container:alias` */
  readonly Links?: readonly string[] | null;
  readonly OomScoreAdj?: number;
  readonly PidMode?: string;
  readonly Privileged?: boolean;
  readonly PublishAllPorts?: boolean;
  readonly ReadonlyRootfs?: boolean;
  readonly SecurityOpt?: readonly string[] | null;
  readonly StorageOpt?: Readonly<Record<string, string>> | null;
  /** Options by destination. */
  readonly Tmpfs?: Readonly<Record<string, string>> | null;
  readonly UTSMode?: string;
  readonly UsernsMode?: string;
  /** bytes; 0: 64 MiB */
  readonly ShmSize?: number;
  readonly Sysctls?: Readonly<Record<string, string>> | null;
  readonly Runtime?: string;
  readonly Isolation?: string;
  /** null: the engine's list; []: none */
  readonly MaskedPaths?: readonly string[] | null;
  readonly ReadonlyPaths?: readonly string[] | null;
}
