import type { EngineClient } from '#client';
import type { ConfigFile } from './config/config-file.ts';
import type { Output } from './output.ts';
import type { Terminal } from './terminal/terminal.ts';

/** What a command works with. Everything that costs time is made on first use. */
export interface Context {
  /** The name that the program answers to: `wharf` or `docker`. */
  readonly program: string;
  /** The command's path with the program's name, as help shows it. */
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: Output;
  readonly err: Output;
  readonly terminal: Terminal;
  /** The client of the chosen engine. */
  readonly engine: EngineClient;
  /** A client of the engine at `host`, as --host takes it; options of TLS apply to it as well. */
  connect(host: string): EngineClient;
  readonly config: ConfigFile;
  /** The name of the docker context in use. */
  readonly contextName: string;
  /** Milliseconds since the epoch. */
  now(): number;
}

export const printLine = (output: Output, text: string): void => output.write(`${text}\n`);
