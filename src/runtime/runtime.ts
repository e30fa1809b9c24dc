import type { Duplex } from 'node:stream';

/** Where a container's or exec's process stands, as its supervisor knows it. */
export type TaskStatus =
  | { readonly status: 'running'; readonly pid: number; readonly startedAt: bigint }
  | {
      readonly status: 'exited';
      readonly pid: number;
      readonly startedAt: bigint;
      readonly exitedAt: bigint;
      /** 0–255, 128 + n after signal n; undefined when nobody saw it (the supervisor itself had died). */
      readonly exitCode: number | undefined;
    };

export interface TaskInfo {
  readonly containerId: string;
  /** undefined: the container's main process. */
  readonly execId: string | undefined;
  readonly state: TaskStatus;
}

export interface LogConfig {
  readonly driver: 'json-file' | 'none';
  /** File of the newest records; rotated ones have `.1`, `.2` … behind it. */
  readonly path: string;
  /** Bytes after which the file is rotated; undefined: never. */
  readonly maxSize: number | undefined;
  /** Files kept, the newest included; ≥ 1. */
  readonly maxFiles: number;
  /** Extra `attrs` of each json-file record (from the `labels`, `env`, `tag` options). */
  readonly attrs?: Readonly<Record<string, string>>;
  /** Rotated files are compressed. */
  readonly compress?: boolean | undefined;
  /** `mode=non-blocking`: with more bytes than this waiting for the disk, records are dropped. */
  readonly maxBuffer?: number;
}

/** An OCI runtime beside the one that the supervisor was given. */
export interface RuntimeProgram {
  readonly path: string;
  /** Arguments before the command. */
  readonly args: readonly string[];
}

export interface RunOptions {
  readonly containerId: string;
  /** For this container and its execs; undefined: the supervisor's own. */
  readonly runtime?: RuntimeProgram;
  /** Folder with `config.json`; made by the caller, kept until delete(). */
  readonly bundle: string;
  readonly tty: boolean;
  /** Whether stdin stays open for attachments; otherwise it is /dev/null. */
  readonly openStdin: boolean;
  /** Close stdin for good once the first attachment that had it goes. */
  readonly stdinOnce: boolean;
  readonly log: LogConfig;
  /** Initial size of the tty: rows, columns. */
  readonly consoleSize?: readonly [number, number];
}

export interface ExecOptions {
  readonly containerId: string;
  readonly execId: string;
  /** OCI runtime-spec `process` object. */
  readonly process: object;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly consoleSize?: readonly [number, number];
}

export interface AttachOptions {
  readonly containerId: string;
  readonly execId?: string;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface TaskExit extends TaskInfo {
  readonly state: Extract<TaskStatus, { status: 'exited' }>;
  /** The kernel's OOM killer took a process of this container (main process only). */
  readonly oomKilled: boolean;
}

/**
 * OCI bundle → process. An implementation keeps processes, their output and their exit codes safe across the
 * death of this daemon; a new daemon calls start() and list() and goes on.
 */
export interface Runtime extends AsyncDisposable {
  readonly name: string;
  /** Connects to the supervisor, starting it if there is none. */
  start(): Promise<void>;
  /** Says that run() or exec() will follow within milliseconds, so that what they wait for can begin. Never fails. */
  expectStart(): void;
  /**
   * Starts the container's main process. Rejects with EngineError: message of the OCI runtime (`exec: "x":
   * executable file not found in $PATH`), after which nothing of the container is left in the runtime.
   */
  run(options: RunOptions): Promise<{ pid: number; startedAt: bigint }>;
  /** Starts a further process. Rejects like run(). */
  exec(options: ExecOptions): Promise<{ pid: number; startedAt: bigint }>;
  /**
   * A raw duplex to the process's streams, allowed before run()/exec(): output from the first byte on arrives.
   * Readable: Docker's 8-byte frames, or raw bytes for a tty. Writable: stdin; end() is end of file. It ends after
   * the process's exit is recorded and all output is flushed. Destroying it only detaches.
   */
  attach(options: AttachOptions): Promise<Duplex>;
  /** Signal by number to the main process or exec. Throws notFound when it does not run. */
  kill(containerId: string, signal: number, execId?: string): Promise<void>;
  /** Throws notFound when it does not run or has no tty. */
  resize(containerId: string, size: { rows: number; columns: number }, execId?: string): Promise<void>;
  pause(containerId: string): Promise<void>;
  resume(containerId: string): Promise<void>;
  /** Host pids in the container. */
  pids(containerId: string): Promise<readonly number[]>;
  /** All tasks known, exited ones until delete(). */
  list(): Promise<readonly TaskInfo[]>;
  /**
   * Every exit, at least once: exits that happened while no daemon was there come first. The listener's promise
   * acknowledges it. Only one listener.
   */
  onExit(listener: (exit: TaskExit) => Promise<void>): void;
  /**
   * Kills what is left, removes cgroup and runtime state, forgets the task. Idempotent. Without a task, attachments
   * that wait for its start end; with one, those that came after its end wait on for the next run.
   */
  delete(containerId: string): Promise<void>;
  /** Forgets an exec that has exited. Idempotent. */
  deleteExec(containerId: string, execId: string): Promise<void>;
  /** Replaces the supervisor's program in place; processes, streams to them and statuses are kept. */
  upgrade(): Promise<void>;
}

/** A unix socket that listens: `fd` is a copy for the caller, who closes it. */
export interface KeptListener {
  readonly path: string;
  readonly fd: number;
}

/**
 * Keeps the daemon's listening sockets open across its death, so that whoever has one mounted reaches the next daemon
 * through the same inode. Meanwhile clients wait in the kernel's queue for a while, then are told that nobody is there.
 */
export interface ListenerKeeper {
  /** The descriptor stays the caller's. Throws where the kernel does not allow it: then nothing is kept. */
  keepListener(path: string, fd: number): Promise<void>;
  /** Those of the daemon before, each with its file in place again. */
  keptListeners(): Promise<readonly KeptListener[]>;
  /** Closes one for good and removes its file. */
  dropListener(path: string): Promise<void>;
}
