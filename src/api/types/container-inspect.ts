import type { DriverData, OCIDescriptor, Storage } from './common.ts';
import type { ContainerConfig } from './container-config.ts';
import type { EndpointSettings } from './endpoint.ts';
import type { Health } from './health.ts';
import type { HostConfig } from './host-config.ts';
import type { MountPoint } from './mount.ts';
import type { PortMap } from './port.ts';
import type { WharfFacts } from './wharf-facts.ts';

export type ContainerStatus =
  'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface ContainerState {
  readonly Status: ContainerStatus;
  /** Also true while paused. */
  readonly Running: boolean;
  readonly Paused: boolean;
  readonly Restarting: boolean;
  readonly OOMKilled: boolean;
  readonly Dead: boolean;
  readonly Pid: number;
  readonly ExitCode: number;
  readonly Error: string;
  /** RFC 3339 with nanoseconds; 0001-01-01T00:00:00Z: never */
  readonly StartedAt: string;
  readonly FinishedAt: string;
  readonly Health?: Health | null;
}

export interface NetworkSettings {
  readonly SandboxID: string;
  readonly SandboxKey: string;
  readonly Ports: PortMap | null;
  readonly Networks: Readonly<Record<string, EndpointSettings>> | null;
}

export interface ContainerInspectResponse {
  readonly Id: string;
  readonly Created?: string | null;
  readonly Path: string;
  readonly Args: readonly string[];
  readonly State: ContainerState;
  /** The image's id. */
  readonly Image: string;
  readonly ResolvConfPath: string;
  readonly HostnamePath: string;
  readonly HostsPath: string;
  readonly LogPath?: string | null;
  /** With a leading slash. */
  readonly Name: string;
  readonly RestartCount: number;
  readonly Driver: string;
  readonly Platform: string;
  readonly ImageManifestDescriptor?: OCIDescriptor;
  readonly MountLabel: string;
  readonly ProcessLabel: string;
  readonly AppArmorProfile: string;
  readonly ExecIDs: readonly string[] | null;
  readonly HostConfig: HostConfig;
  readonly GraphDriver?: DriverData;
  readonly Storage?: Storage;
  /** bytes; only with `size=1` */
  readonly SizeRw?: number | null;
  readonly SizeRootFs?: number | null;
  readonly Mounts: readonly MountPoint[];
  readonly Config: ContainerConfig;
  readonly NetworkSettings: NetworkSettings;
  /** Ours; only where there is something to tell. */
  readonly Wharf?: WharfFacts;
}
