/** Who asked for a signal. */
export type SignalSender = 'stop' | 'kill' | 'restart' | 'remove' | 'shutdown' | 'unhealthy';

/** A signal that the engine sent to the main process. */
export interface SentSignal {
  readonly signal: number;
  readonly by: SignalSender;
  /** The milder one was not followed within this many seconds. */
  readonly after?: number;
  /** Nanoseconds since the epoch. */
  readonly at: bigint;
}

/** The memory of a run, read before its cgroup was removed. Bytes. */
export interface MemoryFacts {
  /** undefined: none. */
  readonly limit?: number;
  /** The highest use, page cache included; not every kernel keeps it. */
  readonly peak?: number;
}

/** Why a main process could not be started. */
export type StartProblem =
  | { readonly kind: 'program-missing'; readonly program: string }
  | { readonly kind: 'program-is-folder'; readonly program: string }
  | { readonly kind: 'not-executable'; readonly program: string; readonly mode: number }
  /** The first line of the script names a program that the image has not; with `crlf` only because of a carriage return. */
  | {
      readonly kind: 'interpreter-missing';
      readonly program: string;
      readonly interpreter: string;
      readonly crlf: boolean;
    }
  /** A dynamic program whose loader the image has not. */
  | { readonly kind: 'loader-missing'; readonly program: string; readonly loader: string }
  | {
      readonly kind: 'architecture';
      readonly program: string;
      readonly found: string;
      readonly host: string;
    }
  /** Neither a program of this system nor a script with `#!`. */
  | { readonly kind: 'format'; readonly program: string; readonly empty: boolean }
  | { readonly kind: 'port-taken'; readonly port: number; readonly holder: PortHolder | undefined }
  | { readonly kind: 'user-unknown'; readonly user: string }
  | { readonly kind: 'working-directory'; readonly path: string }
  | { readonly kind: 'disk-full' }
  | { readonly kind: 'other' };

/** Who has a port of the host: a container by name, or a process. */
export type PortHolder = { readonly container: string } | { readonly pid: number; readonly name: string };

export interface StartFacts {
  readonly problem: StartProblem;
  readonly message: string;
  readonly at: bigint;
}

/** What was seen of the current or last run beyond its state; begun anew by each start. */
export interface RunFacts {
  /** The last few, oldest first. */
  readonly signals: readonly SentSignal[];
  readonly memory?: MemoryFacts;
  /** The start failed. */
  readonly failure?: StartFacts;
  /** It was begun because the run before it was unhealthy. */
  readonly afterUnhealthy?: boolean;
  /** A check has succeeded in it. */
  readonly wasHealthy?: boolean;
}

export const noFacts: RunFacts = { signals: [] };

const keptSignals = 8;

/** The facts with one more signal. */
export const withSignal = (facts: RunFacts | undefined, sent: SentSignal): RunFacts => ({
  ...(facts ?? noFacts),
  signals: [...(facts?.signals ?? []), sent].slice(-keptSignals),
});
