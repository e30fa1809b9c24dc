import type { HostConfig, RestartPolicy } from '#api/types';
import { maskedPaths, readonlyPaths, defaultShmSize } from '../spec/default-paths.ts';

export interface HostDefaults {
  readonly cgroup2: boolean;
  readonly logDriver: string;
  readonly logOptions: Readonly<Record<string, string>>;
  readonly runtime: string;
  readonly init: boolean;
  readonly shmSize: number;
  readonly ipcMode: string;
  readonly cgroupnsMode: 'private' | 'host' | undefined;
}

/** The request's host configuration with every default filled in, as inspect shows it. */
export function normalizeHostConfig(request: HostConfig, defaults: HostDefaults): HostConfig {
  const privileged = request.Privileged ?? false;
  const memory = request.Memory ?? 0;
  const swap = request.MemorySwap ?? 0;
  const cgroupns = defaults.cgroupnsMode ?? (defaults.cgroup2 ? 'private' : 'host');
  const networkMode = request.NetworkMode ?? '';
  return {
    ...request,
    Binds: request.Binds ?? null,
    ContainerIDFile: request.ContainerIDFile ?? '',
    LogConfig: {
      Type: request.LogConfig?.Type ? request.LogConfig.Type : defaults.logDriver,
      Config: request.LogConfig?.Config ?? {},
    },
    NetworkMode: networkMode === '' || networkMode === 'default' ? 'bridge' : networkMode,
    PortBindings: request.PortBindings ?? {},
    RestartPolicy: restartPolicy(request.RestartPolicy),
    VolumesFrom: request.VolumesFrom ?? null,
    ConsoleSize: request.ConsoleSize ?? [0, 0],
    CgroupnsMode: request.CgroupnsMode
      ? request.CgroupnsMode
      : privileged && defaults.cgroup2
        ? 'host'
        : cgroupns,
    Dns: request.Dns ?? [],
    DnsOptions: request.DnsOptions ?? [],
    DnsSearch: request.DnsSearch ?? [],
    IpcMode: request.IpcMode ? request.IpcMode : defaults.ipcMode,
    OomScoreAdj: request.OomScoreAdj ?? 0,
    SecurityOpt: securityOptions(request),
    ShmSize: request.ShmSize ? request.ShmSize : defaults.shmSize || defaultShmSize,
    Runtime: request.Runtime ? request.Runtime : defaults.runtime,
    MemorySwap: memory > 0 && swap === 0 ? memory * 2 : swap,
    MemorySwappiness: (request.MemorySwappiness ?? -1) < 0 ? null : (request.MemorySwappiness ?? null),
    PidsLimit: (request.PidsLimit ?? 0) <= 0 ? null : (request.PidsLimit ?? null),
    BlkioWeightDevice: request.BlkioWeightDevice ?? [],
    BlkioDeviceReadBps: request.BlkioDeviceReadBps ?? [],
    BlkioDeviceWriteBps: request.BlkioDeviceWriteBps ?? [],
    BlkioDeviceReadIOps: request.BlkioDeviceReadIOps ?? [],
    BlkioDeviceWriteIOps: request.BlkioDeviceWriteIOps ?? [],
    Devices: request.Devices ?? [],
    Ulimits: request.Ulimits ?? null,
    MaskedPaths: privileged ? null : (request.MaskedPaths ?? maskedPaths),
    ReadonlyPaths: privileged ? null : (request.ReadonlyPaths ?? readonlyPaths),
    Init: request.Init ?? (defaults.init ? true : null),
  };
}

/** A privileged container, or one in the host's processes, is not labelled; Docker notes that here. */
function securityOptions(request: HostConfig): readonly string[] | null {
  const given = request.SecurityOpt ?? null;
  if (!request.Privileged || given?.some((option) => option.startsWith('label'))) return given;
  return [...(given ?? []), 'label=disable'];
}

function restartPolicy(policy: RestartPolicy | undefined): RestartPolicy {
  return {
    Name: policy?.Name ? policy.Name : 'no',
    MaximumRetryCount: policy?.MaximumRetryCount ?? 0,
  };
}
