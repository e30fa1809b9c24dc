import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { machine } from 'node:os';
import type { IndexInfo } from '#api/types';
import type { SystemBackend } from '#api/server';
import { zeroTime } from '#kernel';
import { logDrivers } from '#logs';
import { cgroupFeatures, type CgroupHost } from '#linux';
import type { Database } from '#metadata';
import { hostPlatform } from '#oci';
import type { Configuration } from './configuration/configuration.ts';
import type { LiveConfiguration } from './live-configuration.ts';
import type { HostFacts } from './host-facts.ts';
import { runtimeVersion, type ChosenRuntime } from './programs.ts';
import { wharfVersion } from './version.ts';

export interface SystemInfoOptions {
  readonly live: LiveConfiguration;
  readonly facts: HostFacts;
  readonly cgroups: CgroupHost;
  readonly db: Database;
  readonly apiVersion: string;
  readonly storage: { readonly driver: string; readonly fileSystem: string };
  readonly runtime: ChosenRuntime;
  readonly initPath: string | undefined;
}

const oldestApiVersion = '1.24';
type InfoFacts = Awaited<ReturnType<SystemBackend['info']>>;

/** `/info` and `/version`. */
export class SystemFacts implements SystemBackend {
  readonly #options: SystemInfoOptions;
  readonly #id: string;
  #runtimeVersion: string | undefined;

  constructor(options: SystemInfoOptions) {
    this.#options = options;
    this.#id = daemonId(options.db);
  }

  /** Stays with the data root. */
  get id(): string {
    return this.#id;
  }

  version(): Awaited<ReturnType<SystemBackend['version']>> {
    const { facts, runtime, apiVersion } = this.#options;
    const os = 'linux';
    const { architecture } = hostPlatform();
    return {
      Platform: { Name: 'Wharf' },
      Components: [
        {
          Name: 'Engine',
          Version: wharfVersion,
          Details: {
            ApiVersion: apiVersion,
            Arch: architecture,
            BuildTime: zeroTime,
            Experimental: 'false',
            GitCommit: 'unknown',
            GoVersion: `node ${process.version}`,
            KernelVersion: facts.kernelVersion,
            MinAPIVersion: oldestApiVersion,
            Os: os,
          },
        },
        { Name: runtime.name, Version: this.#versionOfRuntime(), Details: { GitCommit: '' } },
      ],
      GitCommit: 'unknown',
      GoVersion: `node ${process.version}`,
      Os: os,
      Arch: architecture,
      KernelVersion: facts.kernelVersion,
      BuildTime: zeroTime,
    };
  }

  info(): InfoFacts {
    const { facts, storage, runtime } = this.#options;
    const configuration = this.#options.live.current;
    const { registry, proxies, network } = configuration;
    return {
      ID: this.#id,
      Driver: storage.driver,
      DriverStatus: [
        ['Backing Filesystem', storage.fileSystem],
        ['Supports d_type', 'true'],
        ['Using metacopy', 'false'],
        ['Native Overlay Diff', 'true'],
        ['userxattr', 'false'],
      ],
      DockerRootDir: configuration.dataRoot,
      Plugins: {
        Volume: ['local'],
        Network: ['bridge', 'host', 'null'],
        Authorization: null,
        Log: logDrivers,
      },
      ...this.#cgroups(),
      IPv4Forwarding: read('/proc/sys/net/ipv4/ip_forward') === '1',
      Debug: configuration.logLevel === 'debug',
      NFd: readdirSync('/proc/self/fd').length,
      NGoroutines: readdirSync('/proc/self/task').length,
      LoggingDriver: configuration.containers.logDriver,
      KernelVersion: facts.kernelVersion,
      OperatingSystem: facts.operatingSystem,
      OSVersion: facts.osVersion,
      Architecture: machine(),
      NCPU: facts.cpus,
      MemTotal: facts.memory,
      IndexServerAddress: 'https://index.docker.io/v1/',
      RegistryConfig: {
        InsecureRegistryCIDRs: [
          '127.0.0.0/8',
          '::1/128',
          ...registry.insecure.filter((name) => name.includes('/')),
        ],
        IndexConfigs: indexConfigs(registry),
        Mirrors: hubMirrors(registry).length > 0 ? hubMirrors(registry) : null,
      },
      HttpProxy: shownProxy(proxies.http ?? process.env['HTTP_PROXY']),
      HttpsProxy: shownProxy(proxies.https ?? process.env['HTTPS_PROXY']),
      NoProxy: proxies.no ?? process.env['NO_PROXY'] ?? '',
      Name: facts.hostname,
      Labels: configuration.labels,
      Runtimes: runtimesOf(runtime),
      DefaultRuntime: runtime.name,
      LiveRestoreEnabled: configuration.liveRestore,
      InitBinary: this.#options.initPath ?? '',
      ContainerdCommit: { ID: '' },
      RuncCommit: { ID: this.#versionOfRuntime() },
      InitCommit: { ID: '' },
      SecurityOptions: [
        ...(facts.apparmor ? ['name=apparmor'] : []),
        `name=seccomp,profile=${configuration.containers.seccompProfile ?? 'builtin'}`,
        ...(this.#options.cgroups.mode === 'v2' ? ['name=cgroupns'] : []),
      ],
      ...(network.pools.length > 0 && {
        DefaultAddressPools: network.pools.map(({ base, size }) => ({ Base: base, Size: size })),
      }),
      FirewallBackend: { Driver: network.iptables ? 'nftables' : 'none' },
      CDISpecDirs: configuration.containers.cdiSpecDirs,
      Containerd: null,
      Warnings: null,
    };
  }

  /** Asked once, and not before somebody wants to know. */
  #versionOfRuntime(): string {
    this.#runtimeVersion ??= runtimeVersion(this.#options.runtime.path);
    return this.#runtimeVersion;
  }

  #cgroups(): Pick<
    InfoFacts,
    | 'MemoryLimit'
    | 'SwapLimit'
    | 'CpuCfsPeriod'
    | 'CpuCfsQuota'
    | 'CPUShares'
    | 'CPUSet'
    | 'PidsLimit'
    | 'OomKillDisable'
    | 'CgroupDriver'
    | 'CgroupVersion'
  > {
    const { mode } = this.#options.cgroups;
    const kernel = cgroupFeatures(this.#options.cgroups);
    return {
      MemoryLimit: kernel.memoryLimit,
      SwapLimit: kernel.swapLimit,
      CpuCfsPeriod: kernel.cpuQuota,
      CpuCfsQuota: kernel.cpuQuota,
      CPUShares: kernel.cpuShares,
      CPUSet: kernel.cpuset,
      PidsLimit: kernel.pidsLimit,
      OomKillDisable: kernel.oomKillDisable,
      CgroupDriver: 'cgroupfs',
      CgroupVersion: mode === 'v2' ? '2' : '1',
    };
  }
}

/** By name, with paths and arguments. */
const runtimesOf = ({ all }: ChosenRuntime): InfoFacts['Runtimes'] =>
  Object.fromEntries(
    Object.entries(all).map(([name, { path, args }]) => [
      name,
      { path, ...(args.length > 0 && { runtimeArgs: args }) },
    ]),
  );

/** A proxy's URL without its password. */
const shownProxy = (url = ''): string => url.replace(/^(\w+:\/\/)[^/@]+@/, '$1xxxxx:xxxxx@');

/** A random id that stays with the data root. */
function daemonId(db: Database): string {
  db.run('INSERT OR IGNORE INTO meta (name, value) VALUES (?, ?)', 'daemon-id', randomUUID());
  const value = db.find('SELECT value FROM meta WHERE name = ?', 'daemon-id')?.['value'];
  return typeof value === 'string' ? value : '';
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Those of other registries are written `HOST=URL`. */
const hubMirrors = ({ mirrors }: Configuration['registry']): readonly string[] =>
  mirrors.filter((mirror) => /^https?:/.test(mirror));

function indexConfigs(registry: Configuration['registry']): Readonly<Record<string, IndexInfo>> {
  const hosts = registry.insecure.filter((name) => !name.includes('/'));
  const mirrored = registry.mirrors.filter((mirror) => !/^https?:/.test(mirror));
  const named = [...hosts, ...mirrored.map((mirror) => mirror.slice(0, mirror.indexOf('=')))];
  const own = (name: string): readonly string[] =>
    mirrored.filter((each) => each.startsWith(`${name}=`)).map((each) => each.slice(name.length + 1));
  return {
    'docker.io': { Name: 'docker.io', Mirrors: hubMirrors(registry), Secure: true, Official: true },
    ...Object.fromEntries(
      named.map((name) => [
        name,
        { Name: name, Mirrors: own(name), Secure: !hosts.includes(name), Official: false },
      ]),
    ),
  };
}
