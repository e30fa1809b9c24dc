import { isIP } from 'node:net';
import type { ContainerConfig, HostConfig, RestartPolicy } from '#api/types';
import { invalidArgument } from '#kernel';
import type { CgroupFeatures } from '#linux';
import type { RuntimeProgram } from '#runtime';
import { parseSignal } from '../signals.ts';
import { normalizeCapabilities, requireAvailable } from '../spec/capabilities.ts';
import { parseSecurityOptions } from '../spec/security-options.ts';
import { refuse } from './refuse.ts';
import { validateResources } from './validate-resources.ts';

export interface HostFacts {
  readonly cpus: number;
  /** OCI runtimes by name. */
  readonly runtimes: Readonly<Record<string, RuntimeProgram>>;
  readonly logDrivers: readonly string[];
  /** What it can do about limits. */
  readonly kernel: CgroupFeatures;
  /** What the daemon may hand out: its own bounding set. */
  readonly capabilities: readonly string[];
}

const policies = ['no', 'always', 'on-failure', 'unless-stopped'];

/** Refuses what cannot be, in Docker's words, before anything is made. Throws invalidArgument, or internal for security options. */
export function validate(config: ContainerConfig, host: HostConfig, facts: HostFacts): void {
  if (config.StopSignal) parseSignal(config.StopSignal);
  validateRestart(host.RestartPolicy ?? {}, host.AutoRemove ?? false);
  if (host.RestartUnhealthy && host.AutoRemove) {
    throw invalidArgument("can't create 'AutoRemove' container that is restarted when unhealthy");
  }
  validateResources(host, facts);
  validateModes(config, host);
  requireAvailable(host.CapAdd ?? [], facts.capabilities);
  normalizeCapabilities('CapDrop', host.CapDrop ?? []);
  parseSecurityOptions(host.SecurityOpt ?? []);
  validateHealthcheck(config);
  validateDrivers(host, facts);
  validateIsolation(host);
  validateAnnotations(host);
  validateEnvironment(config);
  validateExtraHosts(host);
}

function validateEnvironment(config: ContainerConfig): void {
  const unnamed = config.Env?.find((entry) => entry.startsWith('='));
  if (unnamed !== undefined) throw invalidArgument(`invalid environment variable: ${unnamed}`);
}

function validateExtraHosts(host: HostConfig): void {
  for (const entry of host.ExtraHosts ?? []) {
    const address = /^[^:=]+[:=](.+)$/.exec(entry)?.[1];
    if (address === undefined) throw invalidArgument(`bad format for add-host: "${entry}"`);
    if (address !== 'host-gateway' && isIP(address.replace(/^\[(.*)\]$/, '$1')) === 0) {
      throw invalidArgument(`invalid IP address in add-host: "${address}"`);
    }
  }
}

export function validateRestart(policy: RestartPolicy, autoRemove: boolean): void {
  const name = policy.Name ? policy.Name : 'no';
  const retries = policy.MaximumRetryCount ?? 0;
  if (!policies.includes(name)) {
    throw invalidArgument(
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (name !== 'on-failure' && retries !== 0) {
    throw invalidArgument(
      "invalid restart policy: maximum retry count can only be used with 'on-failure'" +
        (retries < 0 ? ' and cannot be negative' : ''),
    );
  }
  if (retries < 0) throw invalidArgument('invalid restart policy: maximum retry count cannot be negative');
  if (autoRemove && name !== 'no') {
    throw invalidArgument("can't create 'AutoRemove' container with restart policy");
  }
}

function validateModes(config: ContainerConfig, host: HostConfig): void {
  const ipc = host.IpcMode ?? '';
  if (!['', 'none', 'private', 'shareable', 'host'].includes(ipc) && !/^container:.+/.test(ipc)) {
    throw invalidArgument(`invalid IPC mode: ${ipc}`);
  }
  const pid = host.PidMode ?? '';
  if (!['', 'host'].includes(pid) && !/^container:.+/.test(pid))
    throw invalidArgument(`invalid PID mode: ${pid}`);
  const uts = host.UTSMode ?? '';
  if (!['', 'host'].includes(uts)) throw invalidArgument(`invalid UTS mode: ${uts}`);
  refuse(uts === 'host' && Boolean(config.Hostname), 'conflicting options: hostname and the UTS mode');
  const users = host.UsernsMode ?? '';
  if (!['', 'host'].includes(users)) throw invalidArgument(`invalid user namespace mode: ${users}`);
  const cgroupns = host.CgroupnsMode ?? '';
  // The wire may carry any text here.
  if (!(['', 'private', 'host'] as string[]).includes(cgroupns)) {
    throw invalidArgument(`invalid cgroup namespace mode: ${cgroupns}`);
  }
}

function validateHealthcheck(config: ContainerConfig): void {
  const health = config.Healthcheck;
  if (!health) return;
  const millisecond = 1_000_000;
  const timings = {
    Interval: health.Interval,
    Timeout: health.Timeout,
    StartPeriod: health.StartPeriod,
    StartInterval: health.StartInterval,
  };
  for (const [name, value = 0] of Object.entries(timings)) {
    if (value !== 0 && value < millisecond) {
      throw invalidArgument(`${name} in Healthcheck cannot be less than 1ms`);
    }
  }
  if ((health.Retries ?? 0) < 0) throw invalidArgument('Retries in Healthcheck cannot be negative');
}

/** Those of the OCI runtime are the engine's own: through them a filter or hook could be slipped in. */
function validateAnnotations(host: HostConfig): void {
  refuse(
    Object.hasOwn(host.Annotations ?? {}, ''),
    'invalid Annotations: the empty string is not permitted as an annotation key',
  );
  const own = Object.keys(host.Annotations ?? {}).find((name) => name.startsWith('run.oci.'));
  if (own !== undefined)
    throw invalidArgument(`invalid annotation ${own}: names under run.oci. are reserved`);
}

function validateIsolation({ Isolation: isolation = '' }: HostConfig): void {
  refuse(
    !['', 'default'].includes(isolation.toLowerCase()),
    `invalid isolation (${isolation}): linux only supports 'default'`,
  );
}

function validateDrivers(host: HostConfig, facts: HostFacts): void {
  const { LogConfig: log = {}, Runtime: runtime = '' } = host;
  const driver = log.Type ?? '';
  refuse(
    driver !== '' && !facts.logDrivers.includes(driver),
    `error looking up logging plugin ${driver}: plugin "${driver}" not found`,
  );
  refuse(
    runtime !== '' && !Object.hasOwn(facts.runtimes, runtime),
    `unknown or invalid runtime name: ${runtime}`,
  );
}
