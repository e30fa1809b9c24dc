import type { OCIDescriptor } from './common.ts';
import type { ContainerStatus } from './container-inspect.ts';
import type { EndpointSettings } from './endpoint.ts';
import type { HealthStatus } from './health.ts';
import type { MountPoint } from './mount.ts';
import type { PortSummary } from './port.ts';

/** One entry of GET /containers/json. */
export interface ContainerSummary {
  readonly Id: string;
  /** With leading slashes. */
  readonly Names: readonly string[];
  /** As it was given at creation; the id once the name points elsewhere. */
  readonly Image: string;
  readonly ImageID: string;
  readonly ImageManifestDescriptor?: OCIDescriptor;
  readonly Command: string;
  /** seconds since the epoch */
  readonly Created: number;
  readonly Ports: readonly PortSummary[];
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Labels: Readonly<Record<string, string>>;
  readonly State: ContainerStatus;
  /** `Up 2 minutes (healthy)` */
  readonly Status: string;
  readonly HostConfig: {
    readonly NetworkMode: string;
    readonly Annotations?: Readonly<Record<string, string>> | null;
  };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, EndpointSettings>> };
  readonly Mounts: readonly MountPoint[];
  /** Since 1.52. */
  readonly Health?: { readonly Status: HealthStatus; readonly FailingStreak: number };
}
