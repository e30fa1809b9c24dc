import type { NetworkingConfig } from './endpoint.ts';
import type { HealthConfig } from './health.ts';
import type { HostConfig } from './host-config.ts';
import type { Resources, RestartPolicy } from './resources.ts';

/** An object without keys, as the values of Docker's sets are. */
export type EmptyObject = Readonly<Record<string, never>>;

/** What of a container is independent of the host. */
export interface ContainerConfig {
  readonly Hostname?: string;
  readonly Domainname?: string;
  /** `user[:group]`, names or numbers */
  readonly User?: string;
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  /** By `80/tcp`. */
  readonly ExposedPorts?: Readonly<Record<string, EmptyObject>> | null;
  readonly Tty?: boolean;
  readonly OpenStdin?: boolean;
  readonly StdinOnce?: boolean;
  /** `NAME=value`; `NAME` alone removes the image's. */
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Healthcheck?: HealthConfig | null;
  readonly ArgsEscaped?: boolean;
  readonly Image?: string;
  /** Anonymous volumes by destination. */
  readonly Volumes?: Readonly<Record<string, EmptyObject>> | null;
  readonly WorkingDir?: string;
  readonly Entrypoint?: readonly string[] | null;
  readonly NetworkDisabled?: boolean;
  readonly OnBuild?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
  /** seconds */
  readonly StopTimeout?: number | null;
  readonly Shell?: readonly string[] | null;
  /** Deprecated since 1.44 in favour of EndpointSettings.MacAddress; older clients send it. */
  readonly MacAddress?: string;
}

/** The body of POST /containers/create. */
export interface ContainerCreateRequest extends ContainerConfig {
  readonly HostConfig?: HostConfig | null;
  readonly NetworkingConfig?: NetworkingConfig | null;
}

export interface ContainerCreateResponse {
  readonly Id: string;
  readonly Warnings: readonly string[];
}

/** The body of POST /containers/{id}/update. */
export interface UpdateConfig extends Resources {
  readonly RestartPolicy?: RestartPolicy;
}

export interface ContainerUpdateResponse {
  readonly Warnings: readonly string[] | null;
}
