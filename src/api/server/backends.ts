import type { BuildKit, Builds } from '#build';
import type { AuthConfig, SystemInfo, SystemVersion } from '#api/types';
import type { Containers, StatsOptions, StatsReading } from '#containers';
import type { Disk } from '#disk';
import type { EventSink, EventSource } from '#events';
import type { ImageHandover, Images } from '#images';
import type { Clock } from '#kernel';
import type { Networks } from '#networks';
import type { RegistryClient } from '#registry/client';
import type { Volumes } from '#volumes';
import type { ContainerFiles, RootFolders } from './views/container-inspect.ts';

/** What of containers the API needs, and what some engines offer besides. Routes exist for what is there. */
export type ContainersBackend = Containers & {
  /** Host paths that inspect shows. */
  files?(id: string): ContainerFiles | undefined;
  rootFolders?(id: string): RootFolders | undefined;
  /** Throws why there can be no checkpoint. */
  checkpoint?(ref: string, checkpoint: string): Promise<never>;
  /** What a container uses, once a second; the first reading throws notFound for an unknown one. */
  stats?(ref: string, options: StatsOptions): AsyncGenerator<StatsReading, void, void>;
};

type ImagesBackend = Pick<
  Images,
  | 'get'
  | 'find'
  | 'list'
  | 'select'
  | 'attestations'
  | 'manifests'
  | 'sharedSizes'
  | 'hasChildren'
  | 'inspectDistribution'
  | 'folders'
  | 'tag'
  | 'remove'
  | 'pull'
  | 'push'
  | 'load'
  | 'save'
  | 'import'
  | 'commit'
  | 'history'
  | 'verify'
  | 'collectGarbage'
> & { readonly handover?: ImageHandover };

type NetworksBackend = Pick<Networks, 'create' | 'find' | 'get' | 'list' | 'remove' | 'endpoints'>;

type VolumesBackend = Pick<Volumes, 'create' | 'find' | 'get' | 'list' | 'remove' | 'setLocked'>;

type DiskBackend = Pick<Disk, 'use' | 'prune' | 'bin' | 'undo' | 'empty' | 'collect'>;

/** Of GET /info: what the host and the configuration say. Counts, time and version are the server's own. */
export type SystemFacts = Omit<
  SystemInfo,
  | 'Containers'
  | 'ContainersRunning'
  | 'ContainersPaused'
  | 'ContainersStopped'
  | 'Images'
  | 'SystemTime'
  | 'ServerVersion'
  | 'ExperimentalBuild'
  | 'NEventsListener'
  | 'GenericResources'
  | 'Isolation'
  | 'OSType'
  | 'Swarm'
>;

/** Of GET /version: what the build and the host say. */
export type VersionFacts = Omit<SystemVersion, 'Version' | 'ApiVersion' | 'MinAPIVersion' | 'Experimental'>;

export interface SystemBackend {
  info(): SystemFacts | Promise<SystemFacts>;
  version(): VersionFacts | Promise<VersionFacts>;
}

export interface AuthBackend {
  /** An identity token, or '' where the registry gives none. Throws unauthenticated. */
  login(credentials: AuthConfig, options: { readonly signal: AbortSignal }): Promise<string>;
  /** Asks the index of a registry. */
  readonly search: RegistryClient['search'];
}

/** Everything the API server stands on. */
export interface Backends {
  readonly containers: ContainersBackend;
  readonly images: ImagesBackend;
  readonly networks: NetworksBackend;
  readonly volumes: VolumesBackend;
  readonly disk: DiskBackend;
  /** An engine without one builds nothing. */
  readonly builds?: Builds;
  readonly buildKit?: BuildKit;
  readonly events: EventSource & EventSink;
  readonly system: SystemBackend;
  readonly auth: AuthBackend;
  readonly clock: Clock;
  /** Name of the snapshotter, as inspect and info show it. */
  readonly storageDriver: string;
}

/** What the server says of itself. */
export interface ServerIdentity {
  readonly engineVersion: string;
  readonly maxApiVersion: string;
  readonly experimental: boolean;
}
