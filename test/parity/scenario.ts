import type { Session } from './session.ts';

/** A difference that was looked at and stays, with its cause. */
export interface AcceptedDifference {
  /** The step's name; without it every step. */
  readonly step?: string;
  /** Where in the answer: `body.HostConfig.X`; a `*` stands for any text. */
  readonly path: string;
  readonly versions?: readonly string[];
  readonly cause: string;
}

/** What is asked of both engines for one operation of the API, in each of the versions. */
export interface Scenario {
  /** The operation's id in the specification. */
  readonly operation: string;
  readonly run: (engine: Session) => Promise<void>;
  readonly differences?: readonly AcceptedDifference[];
}

/** The newest of the reference engine, and those of Debian's releases and of the oldest clients. */
export const versions = ['1.51', '1.45', '1.41', '1.24'] as const;
