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
  /** Nobody can remove it. */
  readonly locked: boolean;
}

/** A volume in the bin: it has no name, and its files stay. */
export interface RetiredVolume {
  readonly id: string;
  /** As it was. */
  readonly record: VolumeRecord;
  /** When it was retired, in nanoseconds since the epoch. */
  readonly at: bigint;
  /** What was retired together has one batch. */
  readonly batch: string;
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
  /** Throws conflict while it is used or locked (also with force); with force a missing one is no error. */
  remove(name: string, options?: { force?: boolean }): Promise<void>;
  /** Mounts what the driver options ask for (`type=tmpfs|nfs…`, `device`, `o`), counted per user; returns the folder. */
  acquire(name: string, user: string): Promise<string>;
  release(name: string, user: string): Promise<void>;
  /** Bytes that its files take on disk; 0 where its options mount something else. Throws notFound. */
  usage(name: string): Promise<number>;
  /** A locked volume cannot be removed by anybody until it is unlocked. Throws notFound. */
  setLocked(name: string, locked: boolean): Promise<VolumeRecord>;
}

/** The side of the volumes for who looks after the disk. */
export interface VolumeUpkeep {
  retired(): readonly RetiredVolume[];
  /** Puts a volume into the bin. Throws as remove() does. */
  retire(name: string, batch: string): Promise<RetiredVolume>;
  /** Takes it out of the bin, under its old name or another. Throws notFound, conflict where the name is in use again. */
  reinstate(id: string, name?: string): Promise<VolumeRecord>;
  /** Deletes a volume in the bin; resolves when its files are gone. Throws notFound. */
  discard(id: string): Promise<void>;
  /** Bytes on disk of one in the bin. */
  retiredUsage(id: string): Promise<number>;
}
