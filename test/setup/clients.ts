import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheFolder } from './cache.ts';
import { command, outputOf, type CommandOptions, type CommandResult } from './commands.ts';

/** The clone's folder. */
export const projectRoot = join(import.meta.dirname, '../..');

export const wharfProgram = (): string => join(projectRoot, 'dist/wharf');

const fetched = (): string => join(cacheFolder(), 'reference');

/**
 * The unmodified docker command line: what WHARF_TEST_DOCKER names, the one that tools/reference-engine.sh has
 * fetched, or the one on the PATH (unless that is ours under an alias).
 */
export function dockerProgram(): string {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'docker'));
  const named = process.env['WHARF_TEST_DOCKER'];
  const candidates = [...(named ? [named] : []), join(fetched(), 'root/usr/bin/docker'), ...onPath];
  const own = [join(projectRoot, 'wharf'), wharfProgram()];
  const found = candidates.find((path) => existsSync(path) && !own.includes(realpathSync(path)));
  if (!found) throw new Error('there is no docker client: run tools/reference-engine.sh clients');
  return found;
}

/** What a client needs to reach this engine and nothing of the user's own settings. */
export function clientEnvironment(host: string, folder: string): Record<string, string> {
  const config = join(fetched(), 'config');
  return {
    DOCKER_HOST: host,
    // Plugins are found there; a login in a scenario needs a folder of its own.
    DOCKER_CONFIG: existsSync(config) ? config : folder,
    DOCKER_CONTEXT: '',
    DOCKER_TLS_VERIFY: '',
    DOCKER_CLI_HINTS: 'false',
  };
}

export type Client = (args: readonly string[], options?: CommandOptions) => Promise<CommandResult>;

/** Runs a client with an environment of its own; see command(). */
export const client =
  (program: string, env: Readonly<Record<string, string>>): Client =>
  (args, options = {}) =>
    command(program, args, { ...options, env: { ...env, ...options.env } });

/** Like succeed(), for a client's command: it must succeed. Answers its output without the last newline. */
export const answerOf = async (
  run: Client,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> => outputOf(await run(args, options), args);
