import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { EngineClient } from '#client';
import { proxyVariables } from '../config/proxies.ts';
import type { ConfigFile } from '../config/config-file.ts';
import type { Output } from '../output.ts';
import type { BuildOptions } from './build-options.ts';
import { findCacheFolders } from './cache-folders.ts';
import { findOutputs } from './build-outputs.ts';
import { findSources, isRemoteContext, type BuildSources } from './build-sources.ts';
import { frontendOptions } from './frontend-options.ts';
import { findAgents } from './ssh-agents.ts';
import { blobStores } from './session/blob-stores.ts';
import { credentials } from './session/credentials.ts';
import { ContextCount, gitIgnores, isUnfilteredCheckout } from './git-ignores.ts';
import type { SharedFolder } from './session/file-sync.ts';
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
  /** Told what the engine hears of in a context of a git checkout that nothing says what to leave out of. */
  readonly counted?: (count: ContextCount) => void;
  /** Told what of the options had no effect. */
  readonly warned?: (text: string) => void;
}

/**
 * Builds one target. Throws an error with buildx's text for options that make no sense, ConnectError for what the
 * engine could not do.
 */
export async function build(options: BuildOptions, place: BuildPlace, hooks: SolveHooks): Promise<Solved> {
  const outputs = findOutputs(options);
  const { exporters, sinks } = outputs;
  for (const sink of sinks.values()) {
    if (sink.kind === 'stdout' && place.stdoutIsTerminal) {
      throw new Error(`dest file is required for ${sink.type} exporter. refusing to write to console`);
    }
  }
  using sources = await findSources(options, () => place.input());
  using agents = await findAgents(options.ssh, place.env);
  const caches = findCacheFolders(options.cacheFrom, options.cacheTo, (text) => place.warned?.(text));
  const services: readonly SessionService[] = [
    ...sources.services,
    credentials(place.config),
    secrets(options.secrets, place.env),
    ssh(agents.sockets),
    blobStores(new Map([...sources.stores, ...caches.stores, ...outputs.stores])),
    fileSend(sinks, place.out),
  ];
  const solved = await solve(
    place.engine,
    {
      options: { ...proxies(place, options), ...frontendOptions(options), ...sources.options },
      folders: sharedFolders(options, sources, place),
      services,
      sharedKey: sharedKey(options.context),
      exporters: options.call ? [] : exporters,
      cacheImports: caches.imports,
      cacheExports: caches.exports,
      entitlements: options.entitlements,
    },
    hooks,
  );
  caches.finish(solved.response);
  outputs.finish(solved.response);
  return solved;
}

/** What is told of each folder of a build, and by whom something of it is left out. */
function sharedFolders(
  options: BuildOptions,
  { folders, options: told }: BuildSources,
  { counted }: BuildPlace,
): ReadonlyMap<string, SharedFolder> {
  const shared = new Map<string, SharedFolder>([...folders].map(([name, path]) => [name, { path }]));
  const path = folders.get('context');
  if (path === undefined) return shared;
  if (options.usesGitIgnore === true) shared.set('context', { path, hidden: gitIgnores(path) });
  else if (counted && isUnfilteredCheckout(path, told['filename'] ?? '')) {
    const count = new ContextCount(path);
    counted(count);
    shared.set('context', { path, listed: (stat) => count.add(stat) });
  }
  return shared;
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
    .update(`${hostname()}:${isRemoteContext(context) ? context : resolve(context)}`)
    .digest('hex');
