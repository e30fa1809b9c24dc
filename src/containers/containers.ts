import type { Duplex, Readable } from 'node:stream';
import type {
  ContainerCreateRequest,
  ContainerTopResponse,
  EndpointSettings,
  ExecConfig,
  FilesystemChange,
  UpdateConfig,
} from '#api/types';
import type { LogRecord } from '#logs';
import type { Endpoint, PublishedPort } from '#networks';
import type { ContainerRecord, ExecRecord } from './container-record.ts';

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/** What a running container has, beyond its record: places in networks and published ports. */
export interface LiveNetwork {
  readonly sandboxKey: string;
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly PublishedPort[];
}

export interface LogsOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  /** nanoseconds */
  readonly since?: bigint;
  readonly until?: bigint;
  /** Number of records from the end; undefined: all. */
  readonly tail?: number;
  readonly signal: AbortSignal;
}

/** `x-docker-container-path-stat`; `mode` as Go's os.FileMode. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  readonly mtime: string;
  readonly linkTarget: string;
}

export interface ExecStartOptions {
  readonly detach: boolean;
  readonly tty: boolean;
  readonly consoleSize?: readonly [number, number];
  /** Awaited once the container is known to take execs: what fails from then on is told as output of the exec. */
  readonly accept?: () => Promise<void>;
}

/**
 * Containers, from create to remove. `ref` is an id, a unique id prefix or a name; unknown ones throw notFound
 * `No such container: X`. Methods that wait take the request's signal.
 */
export interface Containers {
  create(
    request: ContainerCreateRequest,
    options: { name?: string; platform?: string; signal: AbortSignal },
  ): Promise<{ readonly id: string; readonly warnings: readonly string[] }>;
  get(ref: string): ContainerRecord;
  /** Newest first. */
  list(): readonly ContainerRecord[];
  network(id: string): LiveNetwork | undefined;
  /** The log file, '' for the driver `none`. */
  logPath(id: string): string;
  /** Name of its AppArmor profile, or `unconfined`; '' where the host has no AppArmor. */
  apparmorProfile(id: string): string;
  execIds(id: string): readonly string[];

  /** Throws notModified when it runs already. */
  start(ref: string, options: { signal: AbortSignal }): Promise<void>;
  /** `timeout` in seconds (-1: for ever; undefined: the container's own). Throws notModified when it is not running. */
  stop(ref: string, options: { stopSignal?: string; timeout?: number; signal: AbortSignal }): Promise<void>;
  restart(
    ref: string,
    options: { stopSignal?: string; timeout?: number; signal: AbortSignal },
  ): Promise<void>;
  /** `killSignal`: name with or without SIG, or number; '' is SIGKILL. */
  kill(ref: string, killSignal: string): Promise<void>;
  pause(ref: string): Promise<void>;
  unpause(ref: string): Promise<void>;
  rename(ref: string, name: string): Promise<void>;
  remove(ref: string, options: { force: boolean; volumes: boolean; link: boolean }): Promise<void>;
  update(ref: string, update: UpdateConfig): Promise<{ readonly warnings: readonly string[] }>;
  resize(ref: string, size: { rows: number; columns: number }): Promise<void>;
  /** Arms the wait before it returns; `result` settles when the condition holds. */
  wait(
    ref: string,
    condition: WaitCondition,
    options: { signal: AbortSignal },
  ): { readonly result: Promise<{ readonly statusCode: number; readonly error?: string }> };
  top(ref: string, psArgs: string): Promise<ContainerTopResponse>;
  /** Throws when the log driver cannot be read. */
  logs(ref: string, options: LogsOptions): AsyncIterable<readonly LogRecord[]>;
  /** Empties the log on this host; what was sent elsewhere stays there. Throws when the log driver cannot be read. */
  clearLogs(ref: string): Promise<void>;
  /**
   * Raw duplex of Docker's frames (bytes for a tty), also before the start. Without `stream` nothing live follows.
   * It ends when the container's output ends; destroying it detaches.
   */
  attach(ref: string, options: { stdin: boolean; stdout: boolean; stderr: boolean }): Promise<Duplex>;
  /** A client has left its attachment, or that to an exec, by its detach keys. */
  detached(ref: string, execId?: string): void;
  /** Somebody reads what the container has said as if attached; attach() tells of itself. */
  attached(ref: string): void;
  /** An image was made of the container: tells who listens to events. */
  committed(ref: string, attributes: Readonly<Record<string, string>>): void;
  changes(ref: string): Promise<readonly FilesystemChange[]>;
  /** Sizes for `size=1`: the writable layer, and that plus the image. */
  size(ref: string): Promise<{ readonly sizeRw: number; readonly sizeRootFs: number }>;
  exportFiles(ref: string, options: { signal: AbortSignal }): Promise<Readable>;
  statPath(ref: string, path: string): Promise<PathStat>;
  readArchive(
    ref: string,
    path: string,
    options: { signal: AbortSignal },
  ): Promise<{ readonly stat: PathStat; readonly stream: Readable }>;
  writeArchive(
    ref: string,
    path: string,
    archive: AsyncIterable<Uint8Array>,
    options: { noOverwriteDirNonDir: boolean; copyUIDGID: boolean; signal: AbortSignal },
  ): Promise<void>;

  createExec(ref: string, config: ExecConfig): Promise<string>;
  /** Throws notFound `No such exec instance: X`. */
  getExec(id: string): ExecRecord;
  /** With `detach` it resolves to undefined once started; otherwise to the streams, as attach(). */
  startExec(id: string, options: ExecStartOptions): Promise<Duplex | undefined>;
  resizeExec(id: string, size: { rows: number; columns: number }): Promise<void>;

  /** Adds a network to the container: live when it runs, and for its next start. Throws as Docker words it. */
  connectNetwork(ref: string, network: string, settings: EndpointSettings): Promise<void>;
  /** With `force` the container may be gone already. */
  disconnectNetwork(ref: string, network: string, options: { force: boolean }): Promise<void>;
}
