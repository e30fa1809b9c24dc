import { readFileSync } from 'node:fs';
import type { EngineHost, ContainersOptions } from '#containers';
import { invalidArgument, type Logger } from '#kernel';
import { logDrivers } from '#logs';
import { cgroupFeatures, type CgroupHost } from '#linux';
import { loadDefaultProfile } from './apparmor.ts';
import type { Configuration } from './configuration/configuration.ts';
import { findProgram, type HostFacts } from './host-facts.ts';

export interface HostChoices {
  readonly configuration: Configuration;
  readonly facts: HostFacts;
  readonly cgroup2: boolean;
  readonly cgroups: CgroupHost;
  readonly instance: string;
  readonly runtimes: EngineHost['runtimes'];
  readonly logger: Logger;
}

/** What containers must know of this host and of the daemon's configuration. */
export function engineHost(choices: HostChoices): EngineHost {
  const { configuration, facts, instance } = choices;
  const { network, containers } = configuration;
  return {
    cpus: facts.cpus,
    kernel: cgroupFeatures(choices.cgroups),
    runtimes: choices.runtimes,
    logDrivers: [...logDrivers, 'none'],
    cgroup2: choices.cgroup2,
    cgroupParent: containers.cgroupParent ?? ownCgroupParent(instance),
    hardLimits: (name) => facts.hardLimit(name),
    capabilities: facts.capabilities,
    initPath: containers.initPath ?? findInit(),
    cdiSpecDirs: containers.cdiSpecDirs,
    apparmor: facts.apparmor,
    apparmorProfile: facts.apparmor ? loadDefaultProfile(choices.logger) : undefined,
    hostname: facts.hostname,
    dns: network.dns,
    dnsSearch: network.dnsSearch,
    dnsOptions: network.dnsOptions,
    hostGateway: network.hostGateway,
    seccomp: defaultSeccomp(containers.seccompProfile),
    noNewPrivileges: containers.noNewPrivileges,
  };
}

/** Where an instance puts its containers' cgroups unless it is told another place. */
export const ownCgroupParent = (instance: string): string =>
  instance === 'default' ? '/wharf' : `/wharf-${instance}`;

export const findInit = (): string | undefined =>
  findProgram(['tini-static', 'catatonit', 'docker-init'], process.env['PATH'] ?? '');

/** `builtin`, `unconfined`, or the JSON text of the file named. */
function defaultSeccomp(profile: string | undefined): string {
  if (profile === undefined || profile === '' || profile === 'builtin') return 'default';
  if (profile === 'unconfined') return profile;
  try {
    return readFileSync(profile, 'utf8');
  } catch (error) {
    throw invalidArgument(`the seccomp profile ${profile} cannot be read`, error);
  }
}

export function hostDefaults(
  configuration: Configuration,
  cgroup2: boolean,
  runtime: string,
): ContainersOptions['defaults'] {
  const { containers } = configuration;
  return {
    cgroup2,
    logDriver: containers.logDriver,
    logOptions: containers.logOptions,
    runtime,
    init: containers.init,
    shmSize: containers.shmSize,
    ipcMode: containers.ipcMode,
    cgroupnsMode: containers.cgroupnsMode,
    ulimits: containers.ulimits,
  };
}
