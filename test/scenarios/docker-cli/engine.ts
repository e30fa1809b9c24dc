import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  answerOf,
  busyboxArchive,
  client,
  clientEnvironment,
  dockerProgram,
  startDaemon,
  Terminal,
  type Client,
  type Daemon,
  type DaemonOptions,
  type TerminalSize,
} from '../../setup/index.ts';

/**
 * The unmodified docker command line and an engine with busybox for it: one of our own, or the one that
 * WHARF_TEST_HOST names (a `unix://` address). The latter shows what Docker's own engine does in the same scenario.
 */
export class Engine implements AsyncDisposable {
  /** A docker command, whatever its exit code. */
  readonly try: Client;
  readonly env: Readonly<Record<string, string>>;
  /** A folder for files of the scenario. */
  readonly folder: string;
  readonly #daemon: Daemon | undefined;
  /** Names given to containers, to clean up in an engine that is not ours. */
  readonly #names = new Set<string>();

  private constructor(folder: string, daemon: Daemon | undefined) {
    this.folder = folder;
    this.#daemon = daemon;
    this.env = daemon?.env ?? clientEnvironment(process.env['WHARF_TEST_HOST'] ?? '', folder);
    const run = client(dockerProgram(), this.env);
    this.try = (args, commandOptions) => {
      const name = args[args.indexOf('--name') + 1];
      if (name !== undefined && args.includes('--name')) this.#names.add(name);
      return run(args, commandOptions);
    };
  }

  static async start(options: DaemonOptions = {}): Promise<Engine> {
    const folder = await mkdtemp(join(tmpdir(), 'wharf-scenario-'));
    const engine = new Engine(
      folder,
      process.env['WHARF_TEST_HOST'] ? undefined : await startDaemon(options),
    );
    await engine.docker('load', '-q', '-i', await busyboxArchive());
    return engine;
  }

  /** Our own daemon; undefined with WHARF_TEST_HOST. */
  get daemon(): Daemon | undefined {
    return this.#daemon;
  }

  /** A docker command that must succeed; answers its output without the last newline. */
  docker(...args: string[]): Promise<string> {
    return answerOf(this.try, args);
  }

  /** `docker run --rm OPTIONS busybox sh -c SCRIPT`, which must succeed. */
  script(options: readonly string[], script: string): Promise<string> {
    return this.docker('run', '--rm', ...options, 'busybox', 'sh', '-c', script);
  }

  /** A docker command that must fail with this exit code; answers what it said on stderr. */
  async fails(code: number, ...args: string[]): Promise<string> {
    const result = await this.try(args);
    assert.equal(result.code, code, `docker ${args.join(' ')}: ${result.stdout}${result.stderr}`);
    return result.stderr.trim();
  }

  /** `docker inspect -f FORMAT NAME`. */
  inspect(name: string, format: string): Promise<string> {
    return this.docker('inspect', '-f', format, name);
  }

  /** A docker command under a pseudo-terminal. */
  terminal(args: readonly string[], size?: TerminalSize): Terminal {
    return new Terminal(dockerProgram(), args, { env: this.env, ...(size && { size }) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    if (this.#daemon) await this.#daemon[Symbol.asyncDispose]();
    else if (this.#names.size > 0) await this.try(['rm', '-fv', ...this.#names]);
  }
}
