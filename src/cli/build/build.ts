import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { EngineClient } from '#client';
import { proxyVariables } from '../config/proxies.ts';
import type { ConfigFile } from '../config/config-file.ts';
import type { Output } from '../output.ts';
import type { BuildOptions } from './build-options.ts';
import { findOutputs } from './build-outputs.ts';
import { findSources } from './build-sources.ts';
import { frontendOptions } from './frontend-options.ts';
import { findAgents } from './ssh-agents.ts';
import { credentials } from './session/credentials.ts';
import { fileSend } from './session/file-send.ts';
import { secrets } from './session/secrets.ts';
import type { SessionService } from './session/session-service.ts';
import { ssh } from './session/ssh.ts';
import { solve, type SolveHooks, type Solved } from './solve.ts';

/** What a build takes from where it runs. */
export interface BuildPlace {
  readonly engine: EngineClient;
  readonly config: ConfigFile;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: Output;
  readonly stdoutIsTerminal: boolean;
  /** Standard input. */
  input(): AsyncIterable<Uint8Array>;
}

/**
 * Builds one target. Throws an error with buildx's text for options that make no sense, ConnectError for what the
 * engine could not do.
 */
export async function build(options: BuildOptions, place: BuildPlace, hooks: SolveHooks): Promise<Solved> {
  const { exporters, sinks } = findOutputs(options);
  for (const sink of sinks.values()) {
    if (sink.kind === 'stdout' && place.stdoutIsTerminal) {
      throw new Error(`dest file is required for ${sink.type} exporter. refusing to write to console`);
    }
  }
  using sources = await findSources(options, () => place.input());
  using agents = await findAgents(options.ssh, place.env);
  const services: readonly SessionService[] = [
    ...sources.services,
    credentials(place.config),
    secrets(options.secrets, place.env),
    ssh(agents.sockets),
    fileSend(sinks, place.out),
  ];
  return await solve(
    place.engine,
    {
      options: { ...proxies(place, options), ...frontendOptions(options), ...sources.options },
      folders: sources.folders,
      services,
      sharedKey: sharedKey(options.context),
      exporters: options.call ? [] : exporters,
      cacheImports: options.cacheFrom,
      cacheExports: options.cacheTo,
      entitlements: options.entitlements,
    },
    hooks,
  );
}

/** The proxies that config.json gives to builds, but for those that the build sets itself. */
const proxies = ({ config, engine }: BuildPlace, { buildArguments }: BuildOptions): Record<string, string> =>
  Object.fromEntries(
    proxyVariables(config, engine.endpoint)
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const)
      .filter(([name]) => !Object.hasOwn(buildArguments, name))
      .map(([name, value]) => [`build-arg:${name}`, value]),
  );

/** The same for one folder of one machine: what has not changed in it need not be sent again. */
const sharedKey = (context: string): string =>
  createHash('sha256')
    .update(`${hostname()}:${process.getuid?.() ?? 0}:${process.cwd()}:${context}`)
    .digest('hex');
