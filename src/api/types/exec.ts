/** The body of POST /containers/{id}/exec. */
export interface ExecConfig {
  readonly User?: string;
  readonly Privileged?: boolean;
  readonly Tty?: boolean;
  /** rows, columns */
  readonly ConsoleSize?: readonly [number, number] | null;
  readonly AttachStdin?: boolean;
  readonly AttachStderr?: boolean;
  readonly AttachStdout?: boolean;
  readonly DetachKeys?: string;
  readonly Env?: readonly string[] | null;
  readonly WorkingDir?: string;
  readonly Cmd?: readonly string[] | null;
  /** Sent by clients, ignored by engines. */
  readonly Detach?: boolean;
}

/** The body of POST /exec/{id}/start. */
export interface ExecStartConfig {
  readonly Detach?: boolean;
  readonly Tty?: boolean;
  readonly ConsoleSize?: readonly [number, number] | null;
}

export interface ProcessConfig {
  readonly privileged?: boolean;
  readonly user?: string;
  readonly tty: boolean;
  readonly entrypoint: string;
  readonly arguments: readonly string[];
}

/** What GET /exec/{id}/json answers. */
export interface ExecInspectResponse {
  readonly CanRemove: boolean;
  readonly DetachKeys: string;
  readonly ID: string;
  readonly Running: boolean;
  /** null until it has ended */
  readonly ExitCode: number | null;
  readonly ProcessConfig: ProcessConfig;
  readonly OpenStdin: boolean;
  readonly OpenStderr: boolean;
  readonly OpenStdout: boolean;
  readonly ContainerID: string;
  /** 0 before the start */
  readonly Pid: number;
}
