import type { FlagSet, Values } from './flags/index.ts';
import type { Context } from './context.ts';

/** How many arguments a command takes; the text completes `'docker ps' …`. */
export interface ArgumentRule {
  readonly least: number;
  readonly most: number;
  /** Whether more than `most` are taken all the same. */
  readonly extends?: (args: readonly string[]) => boolean;
}

export const noArguments: ArgumentRule = { least: 0, most: 0 };
export const exactly = (count: number): ArgumentRule => ({ least: count, most: count });
export const atLeast = (count: number): ArgumentRule => ({ least: count, most: Infinity });
export const atMost = (count: number): ArgumentRule => ({ least: 0, most: count });
export const between = (least: number, most: number): ArgumentRule => ({ least, most });

export interface Input<F> {
  readonly flags: Values<F>;
  /** The names of the options that were given. */
  readonly changed: ReadonlySet<string>;
  readonly args: readonly string[];
}

/** One verb of the command line: what it accepts and what it does. */
export interface Command<F extends FlagSet = FlagSet> {
  /** What follows the command's path in its usage line: `[OPTIONS] CONTAINER`. */
  readonly synopsis: string;
  /** Further lines of usage, for commands with two forms. */
  readonly synopses?: readonly string[];
  readonly summary: string;
  /** Replaces the summary in the command's own help. */
  readonly description?: string;
  /** All the paths that lead here, without the program's name; shown if there are two or more. */
  readonly aliases?: readonly string[];
  readonly flags: F;
  readonly arguments: ArgumentRule;
  /** Options end at the first argument. */
  readonly stopsAtArgument?: boolean;
  /** Throws ExitStatus to end with a code of its own. */
  run(context: Context, input: Input<F>): Promise<void> | void;
}

/** Gives `run` the types of the command's own flags, then lets the command stand among others. */
export const defineCommand = <F extends FlagSet>(command: Command<F>): Command => command;

/** Ends the program with a code; the message, if any, is printed to stderr. */
export class ExitStatus extends Error {
  override readonly name = 'ExitStatus';
  readonly code: number;
  /** Whether `Run 'docker run --help' for more information` follows the message. */
  readonly pointsToHelp: boolean;

  constructor(code: number, message = '', options: { pointsToHelp?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.pointsToHelp = options.pointsToHelp ?? false;
  }
}
