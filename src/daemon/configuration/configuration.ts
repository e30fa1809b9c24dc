import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Ulimit } from '#api/types';
import type { GcSettings, GrantableRights } from '#build';
import type { DiskRules } from '#disk';
import { EngineError, errnoOf, invalidArgument, kindOf, messageOf } from '#kernel';
import { checkSettings } from './check-settings.ts';
import { builderSettings } from './builder-settings.ts';
import { cacheSettings } from './cache-settings.ts';
import { diskSettings } from './disk-settings.ts';
import type { RuntimeProgram } from '#runtime';
import { inFile, mergeSettings, parseFile, type ParsedFlags, type Settings } from './parse-settings.ts';
import { logSettings } from './log-settings.ts';
import { parseRuntimes } from './runtimes.ts';
import { SettingsReader } from './settings-reader.ts';

/** Where the daemon listens. */
export type Host =
  | { readonly type: 'unix'; readonly path: string }
  /** Sockets that a service manager has opened (sd_listen_fds(3)). */
  | { readonly type: 'fd' }
  | { readonly type: 'tcp'; readonly address: string; readonly port: number };

export interface TlsFiles {
  readonly verify: boolean;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** The daemon's configuration, parsed once and frozen. */
export interface Configuration {
  readonly hosts: readonly Host[];
  /** Also take /var/run/docker.sock when nobody holds it: only with the default hosts. */
  readonly adoptDockerSocket: boolean;
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly pidfile: string | undefined;
  readonly group: string | undefined;
  readonly logLevel: string;
  readonly logFormat: 'text' | 'json';
  readonly labels: readonly string[];
  readonly experimental: boolean;
  readonly features: Readonly<Record<string, string>>;
  readonly tls: TlsFiles | undefined;
  readonly network: {
    readonly bridge: string | undefined;
    readonly bip: string | undefined;
    readonly fixedCidr: string | undefined;
    readonly pools: readonly { readonly base: string; readonly size: number }[];
    readonly mtu: number | undefined;
    readonly bindingIp: string | undefined;
    readonly ipForward: boolean;
    readonly ipMasq: boolean;
    readonly iptables: boolean;
    readonly icc: boolean;
    readonly hostGateway: string | undefined;
    readonly dns: readonly string[];
    readonly dnsSearch: readonly string[];
    readonly dnsOptions: readonly string[];
  };
  readonly registry: {
    readonly insecure: readonly string[];
    /** Of docker.io, or `HOST=URL`. */
    readonly mirrors: readonly string[];
    /** Folders of certificates by registry. */
    readonly certificates: readonly string[];
    readonly downloads: number;
    readonly uploads: number;
    /** At each blob of a pull. */
    readonly attempts: number;
    /** The most bytes that one layer may unpack to. */
    readonly layerSize: number;
  };
  /** On the way to registries. */
  readonly proxies: {
    readonly http: string | undefined;
    readonly https: string | undefined;
    readonly no: string | undefined;
  };
  readonly storageDriver: 'overlay2' | 'copy' | undefined;
  readonly disk: DiskRules;
  /** What is removed of the build cache by itself. */
  readonly cache: GcSettings;
  readonly builder: {
    /** What clients may grant their builds. */
    readonly grantable: GrantableRights;
  };
  readonly containers: {
    readonly logDriver: string;
    readonly logOptions: Readonly<Record<string, string>>;
    readonly ulimits: readonly Ulimit[];
    readonly runtime: string | undefined;
    /** Beside crun and runc, by name. */
    readonly runtimes: Readonly<Record<string, RuntimeProgram>>;
    readonly init: boolean;
    readonly initPath: string | undefined;
    readonly shmSize: number;
    readonly ipcMode: 'private' | 'shareable';
    readonly cgroupnsMode: 'private' | 'host' | undefined;
    readonly cgroupParent: string | undefined;
    readonly noNewPrivileges: boolean;
    readonly cdiSpecDirs: readonly string[];
    readonly seccompProfile: string | undefined;
  };
  readonly liveRestore: boolean;
  readonly shutdownTimeout: number;
}

/** Where the configuration is looked for unless it is named: Docker's own file for whoever calls us `dockerd`. */
export const defaultConfigFile = (program: string): string =>
  program === 'dockerd' ? '/etc/docker/daemon.json' : '/etc/wharf/daemon.json';

/** Flags and file as one configuration. Throws invalidArgument that says which setting is wrong. */
export function loadConfiguration(flags: ParsedFlags, program = 'wharfd'): Configuration {
  const path = flags.configFile ?? defaultConfigFile(program);
  const isRead = flags.configFile !== undefined || existsSync(path);
  const settings = mergeSettings(flags.settings, isRead ? readSettings(path) : {}, path);
  try {
    return configure(new SettingsReader(settings));
  } catch (error) {
    if (!isRead) throw error;
    const prefix = `${inFile(path)}merged configuration validation from file and command line flags failed: `;
    throw new EngineError(kindOf(error), prefix + messageOf(error), { cause: error });
  }
}

function configure(read: SettingsReader): Configuration {
  checkSettings(read);
  const hosts = read.list('hosts').map(parseHost);
  const execRoot = resolve(read.text('execRoot') ?? '/run/wharf');
  return Object.freeze({
    hosts: hosts.length > 0 ? hosts : [{ type: 'unix', path: `${execRoot}/wharf.sock` } as const],
    adoptDockerSocket: hosts.length === 0 && execRoot === '/run/wharf',
    dataRoot: resolve(read.text('dataRoot') ?? '/var/lib/wharf'),
    execRoot,
    pidfile: read.text('pidfile'),
    group: read.text('group'),
    logLevel: read.flag('debug', false) ? 'debug' : (read.text('logLevel') ?? 'info'),
    logFormat: read.text('logFormat') === 'json' ? 'json' : 'text',
    labels: read.list('labels'),
    experimental: read.flag('experimental', false),
    features: read.pairs('features'),
    tls: tlsFiles(read),
    network: networkSettings(read),
    registry: {
      insecure: read.list('insecureRegistries'),
      mirrors: read.list('registryMirrors'),
      certificates: certificateFolders(read.list('registryCertificates')),
      downloads: read.number('maxConcurrentDownloads') ?? 3,
      uploads: read.number('maxConcurrentUploads') ?? 5,
      attempts: read.number('maxDownloadAttempts') || 5,
      layerSize: read.number('maxLayerSize') || 100e9,
    },
    proxies: {
      http: read.text('httpProxy'),
      https: read.text('httpsProxy'),
      no: read.text('noProxy'),
    },
    storageDriver: read.choice('storageDriver', ['overlay2', 'copy']),
    disk: diskSettings(read),
    builder: builderSettings(read),
    cache: cacheSettings(read),
    containers: containerSettings(read),
    liveRestore: read.flag('liveRestore', true),
    shutdownTimeout: read.number('shutdownTimeout') ?? 15,
  } satisfies Configuration);
}

function readSettings(path: string): Settings {
  try {
    return parseFile(path, readFileSync(path, 'utf8'));
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    const reason = code === 'ENOENT' ? 'no such file or directory' : code;
    throw invalidArgument(`${inFile(path)}open ${path}: ${reason}`, error);
  }
}

const certificateFolders = (given: readonly string[]): readonly string[] =>
  given.length > 0 ? given.map((folder) => resolve(folder)) : ['/etc/wharf/certs.d', '/etc/docker/certs.d'];

function networkSettings(read: SettingsReader): Configuration['network'] {
  const mtu = read.number('mtu') ?? 0;
  return {
    bridge: read.text('bridge'),
    bip: read.text('bip'),
    fixedCidr: read.text('fixedCidr'),
    pools: read.list('defaultAddressPools').map(parsePool),
    mtu: mtu > 0 ? mtu : undefined,
    bindingIp: read.text('defaultBindingIp'),
    ipForward: read.flag('ipForward', true),
    ipMasq: read.flag('ipMasq', true),
    iptables: read.flag('iptables', true),
    icc: read.flag('icc', true),
    hostGateway: read.list('hostGatewayIps')[0],
    dns: read.list('dns'),
    dnsSearch: read.list('dnsSearch'),
    dnsOptions: read.list('dnsOptions'),
  };
}

function containerSettings(read: SettingsReader): Configuration['containers'] {
  return {
    ...logSettings(read),
    ulimits: read.list('defaultUlimits').map(parseUlimit),
    runtime: read.text('defaultRuntime'),
    runtimes: parseRuntimes(read.pairs('runtimes')),
    init: read.flag('init', false),
    initPath: read.text('initPath'),
    shmSize: parseBytes(read.text('defaultShmSize') ?? '64m'),
    ipcMode: read.text('defaultIpcMode') === 'shareable' ? 'shareable' : 'private',
    cgroupnsMode: read.choice('defaultCgroupnsMode', ['private', 'host']),
    noNewPrivileges: read.flag('noNewPrivileges', false),
    cgroupParent: read.text('cgroupParent'),
    cdiSpecDirs: cdiFolders(read.list('cdiSpecDirs')),
    seccompProfile: read.text('seccompProfile'),
  };
}

/** One empty name turns CDI off. */
const cdiFolders = (asked: readonly string[]): readonly string[] =>
  asked.length === 0 ? ['/etc/cdi', '/var/run/cdi'] : asked.filter((folder) => folder !== '');

function tlsFiles(read: SettingsReader): TlsFiles | undefined {
  const verify = read.flag('tlsVerify', false);
  if (!verify && !read.flag('tls', false)) return undefined;
  const folder = '/etc/wharf';
  return {
    verify,
    ca: read.text('tlsCaCert') ?? `${folder}/ca.pem`,
    cert: read.text('tlsCert') ?? `${folder}/cert.pem`,
    key: read.text('tlsKey') ?? `${folder}/key.pem`,
  };
}

/** `unix:///run/x.sock`, `tcp://127.0.0.1:2375`. Throws invalidArgument. */
export function parseHost(text: string): Host {
  if (text.startsWith('unix://'))
    return { type: 'unix', path: resolve(text.slice('unix://'.length) || '/run/wharf/wharf.sock') };
  if (text === 'fd://') return { type: 'fd' };
  const match = /^(?:tcp:\/\/)?(\[[0-9a-fA-F:]+\]|[^:/]*):(\d+)\/?$/.exec(text);
  const port = Number(match?.[2]);
  if (!match || port > 65535)
    throw invalidArgument(`invalid bind address (${text}): use unix://PATH, tcp://ADDRESS:PORT or fd://`);
  return { type: 'tcp', address: (match[1] ?? '').replace(/^\[|\]$/g, ''), port };
}

function parsePool(text: string): { base: string; size: number } {
  const field = (name: string): string | undefined => new RegExp(`(?:^|,)${name}=([^,]+)`).exec(text)?.[1];
  const base = field('base');
  const size = Number(field('size'));
  if (base === undefined || !Number.isInteger(size)) {
    throw invalidArgument(`invalid default address pool ${text}: use base=CIDR,size=BITS`);
  }
  return { base, size };
}

function parseUlimit(text: string): Ulimit {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (!match) throw invalidArgument(`invalid default ulimit ${text}: use NAME=SOFT[:HARD]`);
  return { Name: match[1] ?? '', Soft: Number(match[2]), Hard: Number(match[3] ?? match[2]) };
}

function parseBytes(text: string): number {
  const match = /^(\d+)([kmg]?)b?$/i.exec(text);
  if (!match) throw invalidArgument(`invalid size ${text}`);
  return Number(match[1]) * 1024 ** ['', 'k', 'm', 'g'].indexOf((match[2] ?? '').toLowerCase());
}
