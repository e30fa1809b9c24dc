import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultHost, parseHost } from '#client';
import type { Endpoint, TlsOptions } from '#client';
import type { ConfigFile } from './config-file.ts';

/** The options before the command that decide which engine is meant. */
export interface GlobalOptions {
  readonly host?: string;
  readonly context?: string;
  readonly tls: boolean;
  readonly tlsVerify: boolean;
  readonly tlsCaCert?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

export interface ChosenEndpoint {
  readonly endpoint: Endpoint;
  readonly contextName: string;
  /** Nobody named an engine: ours may be started. */
  readonly isDefault: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Chooses the engine: -H, -c, WHARF_HOST, DOCKER_HOST, DOCKER_CONTEXT, the current context, the default. */
export function chooseEndpoint(options: GlobalOptions, env: Environment, config: ConfigFile): ChosenEndpoint {
  if (options.host !== undefined && options.context !== undefined) {
    throw new Error('conflicting options: cannot specify both --host and --context');
  }
  const host =
    options.context === undefined ? (options.host ?? (env['WHARF_HOST'] || env['DOCKER_HOST'])) : undefined;
  if (host !== undefined && host !== '') {
    return {
      endpoint: parseHost(host, findTls(options, env, config)),
      contextName: 'default',
      isDefault: false,
    };
  }
  const name = options.context ?? (env['DOCKER_CONTEXT'] || config.data.currentContext || 'default');
  if (name !== 'default') return { endpoint: readContext(name, config), contextName: name, isDefault: false };
  return { endpoint: parseHost(defaultHost), contextName: 'default', isDefault: true };
}

function findTls(options: GlobalOptions, env: Environment, config: ConfigFile): TlsOptions | undefined {
  const verify = options.tlsVerify || (env['DOCKER_TLS_VERIFY'] ?? '') !== '';
  if (!verify && !options.tls && (env['DOCKER_TLS'] ?? '') === '') return undefined;
  const folder = env['DOCKER_CERT_PATH'] || config.folder;
  const ca = readOptional(
    options.tlsCaCert ?? join(folder, 'ca.pem'),
    options.tlsCaCert !== undefined || verify,
  );
  const cert = readOptional(options.tlsCert ?? join(folder, 'cert.pem'), options.tlsCert !== undefined);
  const key = readOptional(options.tlsKey ?? join(folder, 'key.pem'), options.tlsKey !== undefined);
  return {
    verify,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

function readOptional(path: string, required: boolean): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (required) throw new Error(`could not read ${path}`, { cause: error });
    return undefined;
  }
}

interface ContextMeta {
  readonly Endpoints?: Readonly<Record<string, { readonly Host?: string; readonly SkipTLSVerify?: boolean }>>;
}

/** Reads a context of docker's store: its metadata and TLS files lie under the SHA-256 of its name. */
function readContext(name: string, config: ConfigFile): Endpoint {
  // Loaded only for a named context: it costs 3 ms.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const id = createHash('sha256').update(name).digest('hex');
  const folder = join(config.folder, 'contexts');
  const text = readOptional(join(folder, 'meta', id, 'meta.json'), false);
  if (text === undefined)
    throw new Error(
      `Failed to initialize: unable to resolve docker endpoint: context ${JSON.stringify(name)}: context not found: open ${join(folder, 'meta', id, 'meta.json')}: no such file or directory`,
    );
  const docker = (JSON.parse(text) as ContextMeta).Endpoints?.['docker'];
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((file) =>
    readOptional(join(folder, 'tls', id, 'docker', file), false),
  );
  const verify = docker?.SkipTLSVerify !== true;
  const secure = ca !== undefined || cert !== undefined || docker?.SkipTLSVerify === true;
  const tls = {
    verify,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
  return parseHost(docker?.Host || defaultHost, secure ? tls : undefined);
}
