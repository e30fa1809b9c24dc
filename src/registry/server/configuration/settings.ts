import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { invalidArgument } from '#kernel';
import { HtpasswdAuthenticator, parseHtpasswd } from '../htpasswd.ts';
import { readTokenFile } from '../tokens/token-file.ts';
import { readProxyFile } from '../proxy/proxy-file.ts';
import type { PolicySettings } from '../policies.ts';
import type { RegistryServerOptions, TlsIdentity } from '../registry-server.ts';
import { emptyConfig, readAccessFile, readConfigFile } from './config-file.ts';

const flags = {
  root: { type: 'string', default: '/var/lib/wharf-registry' },
  listen: { type: 'string', default: '127.0.0.1:5000' },
  'metrics-addr': { type: 'string' },
  config: { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  htpasswd: { type: 'string' },
  access: { type: 'string' },
  'read-only': { type: 'boolean', default: false },
  'immutable-tags': { type: 'string', multiple: true },
  proxy: { type: 'string' },
  'token-service': { type: 'string' },
  'sparse-manifests': { type: 'boolean', default: false },
  'gc-interval': { type: 'string', default: '60' },
  'gc-grace': { type: 'string', default: '60' },
  'gc-untagged': { type: 'boolean', default: false },
  'log-level': { type: 'string', default: 'info' },
  'no-page': { type: 'boolean', default: false },
} as const;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a registry is started with. */
export interface Settings extends Pick<
  RegistryServerOptions,
  'root' | 'sparseManifests' | 'page' | 'proxy' | 'tokenService'
> {
  readonly address: Address;
  readonly metricsAddress: Address | undefined;
  readonly collection: { readonly graceMs: number; readonly untagged: boolean };
  /** 0: none. */
  readonly intervalMs: number;
  readonly logLevel: string;
  readonly reloadable: Reloadable;
}

/** What files say, which may be read again. */
export interface Reloadable {
  readonly policies: PolicySettings;
  readonly tls: TlsIdentity | undefined;
}

/** Minutes, as milliseconds. Throws invalidArgument. */
function minutes(flag: string, text: string): number {
  const value = Number(text);
  if (text === '' || !(value >= 0))
    throw invalidArgument(`--${flag}: ${JSON.stringify(text)} is no number of minutes`);
  return value * 60_000;
}

/** Throws invalidArgument. */
function parseAddress(flag: string, text: string): Address {
  const [, host = '', port = ''] = /^(?:\[?([^\]]*?)\]?:)?(\d+)$/.exec(text) ?? [];
  if (port === '' || Number(port) > 65_535)
    throw invalidArgument(`--${flag}: ${JSON.stringify(text)} is no HOST:PORT`);
  return { host: host === '' ? '0.0.0.0' : host, port: Number(port) };
}

const levels: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent'];

const read = (argv: readonly string[]) => parseArgs({ args: [...argv], options: flags }).values;

/** Throws invalidArgument, and what reading files throws. */
export function parseSettings(argv: readonly string[]): Settings {
  const values = read(argv);
  const { 'tls-cert': cert, 'tls-key': key, 'log-level': logLevel, 'metrics-addr': metrics } = values;
  if ((cert === undefined) !== (key === undefined))
    throw invalidArgument('--tls-cert and --tls-key go together');
  if (values.access !== undefined && values.htpasswd === undefined)
    throw invalidArgument('--access needs --htpasswd');
  if (!levels.includes(logLevel)) throw invalidArgument(`--log-level is one of ${levels.join(', ')}`);
  return {
    root: values.root,
    address: parseAddress('listen', values.listen),
    metricsAddress: metrics === undefined ? undefined : parseAddress('metrics-addr', metrics),
    sparseManifests: values['sparse-manifests'],
    tokenService: values['token-service'] === undefined ? undefined : readTokenFile(values['token-service']),
    proxy: values.proxy === undefined ? undefined : readProxyFile(values.proxy),
    page: !values['no-page'],
    intervalMs: minutes('gc-interval', values['gc-interval']),
    collection: { graceMs: minutes('gc-grace', values['gc-grace']), untagged: values['gc-untagged'] },
    logLevel,
    reloadable: readReloadable(argv),
  };
}

/** Reads the files that the flags name. Throws invalidArgument, and what reading files throws. */
export function readReloadable(argv: readonly string[]): Reloadable {
  const values = read(argv);
  const { config: path, htpasswd, 'tls-cert': cert, 'tls-key': key } = values;
  const config = path === undefined ? emptyConfig : readConfigFile(path);
  if (config.access && htpasswd === undefined)
    throw invalidArgument(`${path ?? ''}: access needs --htpasswd`);
  if (config.access && values.access !== undefined)
    throw invalidArgument(`--access and access of ${path ?? ''} exclude each other`);
  return {
    policies: {
      ...config,
      rules: values.access === undefined ? config.access : readAccessFile(values.access),
      authenticator:
        htpasswd === undefined
          ? undefined
          : new HtpasswdAuthenticator(parseHtpasswd(readFileSync(htpasswd, 'utf8'))),
      readOnly: values['read-only'] || config.readOnly,
      immutableTags: [...(values['immutable-tags'] ?? []), ...config.immutableTags],
    },
    tls:
      cert === undefined || key === undefined
        ? undefined
        : { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') },
  };
}
