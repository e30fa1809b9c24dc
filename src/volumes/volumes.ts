export interface VolumeRecord {
  readonly name: string;
  readonly driver: 'local';
  readonly mountpoint: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** Made without a name by a container; `prune` without `--all` removes only these. */
  readonly anonymous: boolean;
  /** Nanoseconds since the epoch. */
  readonly createdAt: bigint;
}

export interface VolumeSpec {
  /** Without it, a 64-digit hex name is made up and the volume counts as anonymous. */
  readonly name?: string;
  readonly driver?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
}

/** Named folders that outlive containers. Who uses a volume is asked through the port `users`. */
export interface Volumes {
  start(): Promise<void>;
  /** Returns the existing one when it fits the spec, throws conflict when it does not. */
  create(spec: VolumeSpec): Promise<VolumeRecord>;
  find(name: string): VolumeRecord | undefined;
  /** Throws notFound `get NAME: no such volume`. */
  get(name: string): VolumeRecord;
  list(): readonly VolumeRecord[];
  /** Throws conflict while a container uses it (also with force); with force a missing one is no error. */
  remove(name: string, options?: { force?: boolean }): Promise<void>;
  /** Mounts what the driver options ask for (`type=tmpfs|nfs…`, `device`, `o`), counted per user; returns the folder. */
  acquire(name: string, user: string): Promise<string>;
  release(name: string, user: string): Promise<void>;
  /** Bytes on disk. */
  usage(name: string): Promise<number>;
}
