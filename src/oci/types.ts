/** Image-spec v1.1 and Docker schema 2 shapes, as they stand in JSON. */

/** `algorithm:hex`, validated by parseDigest(). */
export type Digest = string & { readonly __brand: 'Digest' };

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
}

/** image-spec descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** bytes */
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  readonly artifactType?: string;
}

/** image-spec manifest.md; also Docker's schema 2 manifest. */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** image-spec image-index.md; also Docker's manifest list. */
export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The `healthcheck` of an image's config; durations in nanoseconds. */
export interface HealthcheckConfig {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** The `config` object of an image's configuration (image-spec config.md, with Docker's additions). */
export interface ImageRuntimeConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Env?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Volumes?: Readonly<Record<string, object>> | null;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
  readonly StopTimeout?: number;
  readonly ArgsEscaped?: boolean;
  readonly Healthcheck?: HealthcheckConfig | null;
  readonly OnBuild?: readonly string[] | null;
  readonly Shell?: readonly string[] | null;
}

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** The configuration blob whose digest is the image id. */
export interface ImageConfig extends Platform {
  readonly created?: string;
  readonly author?: string;
  readonly config?: ImageRuntimeConfig;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly HistoryEntry[];
  /** Docker's own additions on commit. */
  readonly container?: string;
  readonly container_config?: object;
  readonly docker_version?: string;
}
