import type { ContainerConfig, EndpointSettings, HealthcheckResult, HostConfig } from '#api/types';
import type { Digest } from '#oci';
import type { RunFacts } from './cause/run-facts.ts';

/** Times are nanoseconds since the epoch throughout. */
export type ContainerState =
  | {
      readonly status: 'created';
      /** Why the last start failed, with Docker's exit code for it (126, 127 or 128). */
      readonly failure?: StartFailure;
    }
  | Running
  | {
      /** Exited and waiting for its restart. */
      readonly status: 'restarting';
      readonly last: Exited;
      readonly restartAt: bigint;
    }
  | Exited
  | { readonly status: 'removing'; readonly last: Exited | undefined }
  | { readonly status: 'dead'; readonly last: Exited | undefined };

export interface StartFailure {
  readonly message: string;
  readonly exitCode: number;
}

export interface Running {
  readonly status: 'running';
  readonly pid: number;
  readonly startedAt: bigint;
  readonly paused: boolean;
  /** The end of the run before. */
  readonly lastFinishedAt?: bigint;
}

export interface Exited {
  readonly status: 'exited';
  /** undefined: nobody saw it; shown as 255 with `error` saying so, never as 0. */
  readonly exitCode: number | undefined;
  readonly startedAt: bigint;
  readonly finishedAt: bigint;
  readonly oomKilled: boolean;
  readonly error?: string;
}

/** An image whose files are mounted into a container. */
export interface MountedImage {
  /** As the request named it. */
  readonly name: string;
  readonly id: Digest;
  /** chainID of its topmost layer. */
  readonly chainId: Digest;
}

/** A mount as it was settled at create; `source` is a host path. */
export interface ContainerMount {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'image';
  readonly image?: MountedImage;
  /** Volume name. */
  readonly name?: string;
  readonly source: string;
  readonly destination: string;
  /** The mode text as given (`ro`, `z`, `nocopy,ro`). */
  readonly mode: string;
  readonly rw: boolean;
  readonly propagation: string;
  readonly copyUp: boolean;
  readonly subpath?: string;
  /** A missing source is made, as for `-v`. */
  readonly makesSource?: boolean;
  /** Mounts below the source are left out. */
  readonly nonRecursive?: boolean;
  /** Mounts below the source stay writable although the bind is read-only. */
  readonly readonlyNonRecursive?: boolean;
  /** tmpfs options (`size=…,mode=…`). */
  readonly tmpfsOptions?: string;
}

/** A link as `--link` makes it on the default bridge. */
export interface ContainerLink {
  readonly id: string;
  readonly alias: string;
}

/** Everything a container is, persisted whole. */
export interface ContainerRecord {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly createdAt: bigint;
  /** The image as the request named it. */
  readonly imageName: string;
  readonly imageId: Digest;
  /** The request merged with the image's config. */
  readonly config: ContainerConfig;
  /** Normalised request. */
  readonly hostConfig: HostConfig;
  /** Requested endpoints by network name, in order; the first is the one of NetworkMode. */
  readonly endpoints: Readonly<Record<string, EndpointSettings>>;
  readonly mounts: readonly ContainerMount[];
  readonly state: ContainerState;
  readonly restartCount: number;
  /** Containers it is linked to over the default bridge; `hostConfig.Links` says the same by name. */
  readonly links?: readonly ContainerLink[];
  /** Names that linking containers have for it (`/web/db`). */
  readonly linkNames?: readonly string[];
  /** Stopped by a person: `unless-stopped` stays down over a restart of the daemon. */
  readonly stoppedByUser: boolean;
  readonly health?: HealthRecord;
  /** What was seen of the current or last run, for `wharf why`. */
  readonly run?: RunFacts;
}

export interface HealthRecord {
  readonly status: 'none' | 'starting' | 'healthy' | 'unhealthy';
  readonly failingStreak: number;
  readonly log: readonly HealthcheckResult[];
}

/** A further process in a container; lives in memory, gone with its container's run. */
export interface ExecRecord {
  readonly id: string;
  readonly containerId: string;
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly attachStdin: boolean;
  readonly attachStdout: boolean;
  readonly attachStderr: boolean;
  readonly detachKeys: string | undefined;
  readonly privileged: boolean;
  readonly user: string;
  readonly state:
    | { readonly status: 'created' }
    | { readonly status: 'running'; readonly pid: number }
    | { readonly status: 'exited'; readonly pid: number; readonly exitCode: number };
}
