import type { ContainerConfig, HostConfig, RestartPolicy } from '#api/types';
import { invalidArgument, unimplemented } from '#kernel';
import { parseSignal } from '../signals.ts';
import { normalizeCapabilities } from '../spec/capabilities.ts';
import { parseSecurityOptions } from '../spec/security-options.ts';

export interface HostFacts {
  readonly cpus: number;
  readonly runtimes: readonly string[];
  readonly logDrivers: readonly string[];
}

const mebibyte = 1024 * 1024;
const policies = ['no', 'always', 'on-failure', 'unless-stopped'];

/** Refuses what cannot be, in Docker's words, before anything is made. Throws invalidArgument, or unimplemented by name. */
export function validate(config: ContainerConfig, host: HostConfig, facts: HostFacts): void {
  if (config.StopSignal) parseSignal(config.StopSignal);
  validateRestart(host.RestartPolicy ?? {}, host.AutoRemove ?? false);
  validateMemory(host);
  validateProcess(host);
  validateCpu(host, facts);
  validateModes(host);
  normalizeCapabilities('CapAdd', host.CapAdd ?? []);
  normalizeCapabilities('CapDrop', host.CapDrop ?? []);
  parseSecurityOptions(host.SecurityOpt ?? []);
  validateHealthcheck(config);
  validateDrivers(host, facts);
  validateIsolation(host);
  refuseUnsupported(host);
  validateAnnotations(host);
  for (const entry of host.ExtraHosts ?? []) {
    if (!/^[^:=]+[:=].+$/.test(entry)) throw invalidArgument(`bad format for add-host: "${entry}"`);
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

/** Throws invalidArgument with the message when the condition holds. */
function refuse(condition: boolean, message: string): void {
  if (condition) throw invalidArgument(message);
}

const within = (value: number, low: number, high: number): boolean => value >= low && value <= high;

function validateMemory(host: HostConfig): void {
  const { Memory: memory = 0, MemorySwap: swap = 0, MemoryReservation: reservation = 0 } = host;
  const limited = memory > 0;
  refuse(limited && memory < 6 * mebibyte, 'Minimum memory limit allowed is 6MB');
  refuse(
    limited && swap > 0 && swap < memory,
    'Minimum memoryswap limit should be larger than memory limit, see usage',
  );
  refuse(
    !limited && swap > 0,
    'You should always set the Memory limit when using Memoryswap limit, see usage',
  );
  refuse(reservation > 0 && reservation < 6 * mebibyte, 'Minimum memory reservation allowed is 6MB');
  refuse(
    limited && reservation > memory,
    'Minimum memory limit can not be less than memory reservation limit, see usage',
  );
  const swappiness = host.MemorySwappiness ?? -1;
  refuse(
    !within(swappiness, -1, 100),
    `Invalid value: ${swappiness}, valid memory swappiness range is 0-100`,
  );
}

function validateProcess(host: HostConfig): void {
  refuse((host.ShmSize ?? 0) < 0, 'SHM size can not be less than 0');
  const score = host.OomScoreAdj ?? 0;
  refuse(!within(score, -1000, 1000), `Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
  const weight = host.BlkioWeight ?? 0;
  refuse(weight !== 0 && !within(weight, 10, 1000), 'Range of blkio weight is from 10 to 1000');
}

function validateCpu(host: HostConfig, facts: HostFacts): void {
  const { NanoCpus: nano = 0, CpuPeriod: period = 0, CpuQuota: quota = 0, CpusetCpus: cpus = '' } = host;
  refuse(nano > 0 && period > 0, 'Conflicting options: Nano CPUs and CPU Period cannot both be set');
  refuse(nano > 0 && quota > 0, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  refuse(
    !within(nano, 0, facts.cpus * 1e9),
    `range of CPUs is from 0.01 to ${facts.cpus}.00, as there are only ${facts.cpus} CPUs available`,
  );
  refuse(
    period !== 0 && !within(period, 1000, 1_000_000),
    'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
  );
  refuse(quota > 0 && quota < 1000, 'CPU cfs quota can not be less than 1ms (i.e. 1000)');
  refuse(
    cpus !== '' && parseCpuList(cpus).some((cpu) => cpu >= facts.cpus),
    `Requested CPUs are not available - requested ${cpus}, available: 0-${facts.cpus - 1}`,
  );
}

function parseCpuList(text: string): readonly number[] {
  const cpus: number[] = [];
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (!match) throw invalidArgument(`Invalid value ${text} for cpuset cpus`);
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last > 8192) throw invalidArgument(`Invalid value ${text} for cpuset cpus`);
    for (let cpu = first; cpu <= last; cpu += 1) cpus.push(cpu);
  }
  return cpus;
}

function validateModes(host: HostConfig): void {
  const ipc = host.IpcMode ?? '';
  if (!['', 'none', 'private', 'shareable', 'host'].includes(ipc) && !/^container:.+/.test(ipc)) {
    throw invalidArgument(`invalid IPC mode: ${ipc}`);
  }
  const pid = host.PidMode ?? '';
  if (!['', 'host'].includes(pid) && !/^container:.+/.test(pid))
    throw invalidArgument(`invalid PID mode: ${pid}`);
  const uts = host.UTSMode ?? '';
  if (!['', 'host'].includes(uts)) throw invalidArgument(`invalid UTS mode: ${uts}`);
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
  const own = Object.keys(host.Annotations ?? {}).find((name) => name.startsWith('run.oci.'));
  if (own !== undefined)
    throw invalidArgument(`invalid annotation ${own}: names under run.oci. are reserved`);
}

/** What this engine does not do is refused by name, never accepted and ignored. */
function refuseUnsupported(host: HostConfig): void {
  const refused = {
    '--storage-opt': Object.keys(host.StorageOpt ?? {}).length > 0,
    '--blkio-weight-device': (host.BlkioWeightDevice ?? []).length > 0,
    '--kernel-memory': (host.KernelMemory ?? 0) > 0,
  };
  for (const [flag, asked] of Object.entries(refused)) {
    if (asked) throw unimplemented(`${flag} is not supported by this engine`);
  }
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
  refuse(runtime !== '' && !facts.runtimes.includes(runtime), `unknown or invalid runtime name: ${runtime}`);
  const [device] = host.DeviceRequests ?? [];
  if (device) {
    const [capabilities = []] = device.Capabilities ?? [];
    throw unimplemented(
      `could not select device driver "${device.Driver ?? ''}" with capabilities: [[${capabilities.join(' ')}]]`,
    );
  }
}
