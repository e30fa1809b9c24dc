/** Why a container's start failed; which members there are depends on `Kind`. */
export interface WharfStartProblem {
  readonly Kind:
    | 'program-missing'
    | 'program-is-folder'
    | 'not-executable'
    | 'interpreter-missing'
    | 'loader-missing'
    | 'architecture'
    | 'format'
    | 'port-taken'
    | 'user-unknown'
    | 'working-directory'
    | 'disk-full'
    | 'other';
  readonly Program?: string;
  /** Permission bits of the program's file. */
  readonly Mode?: number;
  readonly Interpreter?: string;
  /** The script's first line ends in a carriage return. */
  readonly CarriageReturn?: boolean;
  readonly Loader?: string;
  /** Architectures: the program's, and this host's. */
  readonly Found?: string;
  readonly Host?: string;
  readonly Empty?: boolean;
  readonly Port?: number;
  /** Who has the port: a container by name, or a process. */
  readonly Container?: string;
  readonly Pid?: number;
  readonly Process?: string;
  readonly User?: string;
  readonly Path?: string;
}

/** The field `Wharf` of a container's inspection: what Docker's API has no place for. Not in Docker. */
export interface WharfFacts {
  /** Signals that the engine sent to the main process in its current or last run, oldest first; the last eight. */
  readonly Signals?: readonly {
    readonly Signal: number;
    readonly By: 'stop' | 'kill' | 'restart' | 'remove' | 'shutdown' | 'unhealthy';
    /** Seconds for which a milder signal was not followed. */
    readonly After?: number;
    readonly At: string;
  }[];
  /** Of a run that did not end well; bytes. */
  readonly Memory?: { readonly Limit?: number; readonly Peak?: number };
  readonly StartFailure?: {
    readonly At: string;
    readonly Message: string;
    readonly Problem: WharfStartProblem;
  };
  /** A restart that is planned. */
  readonly Restart?: { readonly Next: string; readonly Cause: 'policy' | 'unhealthy' };
  /** This run was begun because the one before was unhealthy. */
  readonly AfterUnhealthy?: boolean;
}
