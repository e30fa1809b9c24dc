import { EngineError } from '#kernel';
import type { Digest } from '#oci';

/** A command of a RUN that ended with something else than 0. */
export class CommandError extends EngineError {
  readonly args: readonly string[];
  /** Undefined where it is not known. */
  readonly exitCode: number | undefined;
  /** The image in which what it left is kept, if it is. */
  readonly kept: Digest | undefined;

  constructor(args: readonly string[], exitCode: number | undefined, oomKilled: boolean, kept?: Digest) {
    const code = exitCode === undefined ? 'its exit code is unknown' : `exit code: ${exitCode}`;
    const how = oomKilled ? `${code}: out of memory` : code;
    super('invalidArgument', `process "${args.join(' ')}" did not complete successfully: ${how}`);
    this.args = args;
    this.exitCode = exitCode;
    this.kept = kept;
  }
}

/** The command because of which a build has failed, if that is why. */
export function failedCommand(error: unknown): CommandError | undefined {
  if (error instanceof CommandError) return error;
  return error instanceof Error ? failedCommand(error.cause) : undefined;
}
