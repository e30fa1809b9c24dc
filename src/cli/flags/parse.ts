import { messageOf } from '#kernel';
import type { Flag } from './flag.ts';

/**
 * The options of a command by name. The parameter of each flag is its own: `never` lets them stand together,
 * Values<> gives each value its type again.
 */
export type FlagSet = Readonly<Record<string, Flag<never> | Flag<unknown>>>;

export type Values<F> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

export interface Parsed<F> {
  readonly values: Values<F>;
  /** The names that were given. */
  readonly changed: ReadonlySet<string>;
  readonly args: readonly string[];
  /** Warnings about deprecated options. */
  readonly warnings: readonly string[];
}

/** A command line that cannot be understood; `message` is pflag's. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

/** `--help` or `-h` was given. */
export class HelpWanted extends Error {
  override readonly name = 'HelpWanted';
}

type AnyFlag = Flag<unknown>;

/**
 * Reads options by pflag's rules: `--name=value`, `--name value`, grouped shorthands, `-nvalue`, `--`. With
 * `interspersed: false` the first argument ends the options, as for `run IMAGE …`.
 */
export function parseFlags<F extends FlagSet>(
  flags: F,
  argv: readonly string[],
  options: { interspersed?: boolean } = {},
): Parsed<F> {
  const reader = new Reader(flags);
  const args: string[] = [];
  const rest = [...argv];
  for (let text = rest.shift(); text !== undefined; text = rest.shift()) {
    if (text === '--') {
      args.push(...rest);
      break;
    }
    if (!text.startsWith('-') || text === '-') {
      args.push(text);
      if (options.interspersed !== false) continue;
      args.push(...rest);
      break;
    }
    if (text.startsWith('--')) reader.long(text, rest);
    else reader.shorthands(text, rest);
  }
  // The reader holds a value of the right type under every name of F.
  const values = Object.fromEntries(reader.values) as unknown as Values<F>;
  return { values, changed: reader.changed, args, warnings: reader.warnings };
}

class Reader {
  readonly #flags: ReadonlyMap<string, { name: string; flag: AnyFlag }>;
  readonly #shorts: ReadonlyMap<string, string>;
  readonly values: Map<string, unknown>;
  readonly changed = new Set<string>();
  readonly warnings: string[] = [];

  constructor(flags: FlagSet) {
    // Values only ever go back into the flag they came from.
    const entries = Object.entries(flags) as [string, AnyFlag][];
    this.values = new Map(entries.map(([name, flag]) => [name, flag.initial]));
    this.#flags = new Map(
      entries.flatMap(([name, flag]) =>
        [name, ...(flag.also ?? [])].map((word) => [word, { name, flag }] as const),
      ),
    );
    this.#shorts = new Map(
      entries.flatMap(([name, { short }]) => (short === undefined ? [] : [[short, name] as const])),
    );
  }

  long(text: string, rest: string[]): void {
    const [, word = '', value] = /^--([^=]*)(?:=([^]*))?$/.exec(text) ?? [];
    if (word === '') throw new FlagError(`bad flag syntax: ${text}`);
    if (word === 'help') throw new HelpWanted();
    const found = this.#flags.get(word);
    if (!found) {
      throw new FlagError(`unknown flag: --${word}`);
    }
    const given = value ?? found.flag.bare ?? rest.shift();
    if (given === undefined) throw new FlagError(`flag needs an argument: --${word}`);
    this.#set(found.name, found.flag, given);
  }

  shorthands(text: string, rest: string[]): void {
    let letters = text.slice(1);
    while (letters !== '') {
      const letter = letters.slice(0, 1);
      const found = this.#flags.get(this.#shorts.get(letter) ?? '');
      if (!found) {
        if (letter === 'h') throw new HelpWanted();
        throw new FlagError(
          `unknown shorthand flag: ${JSON.stringify(letter).replaceAll('"', "'")} in -${letters}`,
        );
      }
      const after = letters.slice(1);
      if (after.startsWith('=')) {
        this.#set(found.name, found.flag, after.slice(1));
        return;
      }
      if (found.flag.bare !== undefined) {
        this.#set(found.name, found.flag, found.flag.bare);
        letters = after;
        continue;
      }
      const given = after === '' ? rest.shift() : after;
      if (given === undefined) throw new FlagError(`flag needs an argument: '${letter}' in -${letters}`);
      this.#set(found.name, found.flag, given);
      return;
    }
  }

  #set(name: string, flag: AnyFlag, text: string): void {
    try {
      this.values.set(name, flag.parse(text, this.values.get(name)));
    } catch (error) {
      const label = flag.short === undefined ? `--${name}` : `-${flag.short}, --${name}`;
      throw new FlagError(
        `invalid argument ${JSON.stringify(text)} for "${label}" flag: ${messageOf(error)}`,
      );
    }
    if (flag.deprecated !== undefined && !this.changed.has(name)) {
      this.warnings.push(`Flag --${name} has been deprecated, ${flag.deprecated}`);
    }
    this.changed.add(name);
  }
}
