import type { HostConfig, LogConfig, PortBinding, PortMap } from '#api/types';
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

/** The value, or the fallback where the request left it out, empty or zero. */
const filled = <T>(value: T | null | undefined, fallback: T): T => value || fallback;
/** The value, or the fallback where the request left it out. */
const given = <T>(value: T | null | undefined, fallback: T): T => value ?? fallback;

/** The request's host configuration with every default filled in, as inspect shows it. */
export function normalizeHostConfig(request: HostConfig, defaults: HostDefaults): HostConfig {
  return {
    ...request,
    ...normalizeResources(request),
    Binds: request.Binds ?? null,
    ContainerIDFile: given(request.ContainerIDFile, ''),
    LogConfig: logConfig(request.LogConfig, defaults),
    NetworkMode: networkMode(request.NetworkMode),
    PortBindings: portBindings(request.PortBindings),
    RestartPolicy: {
      Name: filled(request.RestartPolicy?.Name, 'no'),
      MaximumRetryCount: given(request.RestartPolicy?.MaximumRetryCount, 0),
    },
    VolumesFrom: request.VolumesFrom ?? null,
    ConsoleSize: given(request.ConsoleSize, [0, 0]),
    CgroupnsMode: filled(request.CgroupnsMode, cgroupnsMode(request, defaults)),
    Dns: request.Dns ?? null,
    DnsOptions: request.DnsOptions ?? null,
    DnsSearch: request.DnsSearch ?? null,
    IpcMode: filled(request.IpcMode, defaults.ipcMode),
    SecurityOpt: securityOptions(request),
    ShmSize: filled(request.ShmSize, filled(defaults.shmSize, defaultShmSize)),
    Runtime: filled(request.Runtime, defaults.runtime),
    MaskedPaths: request.Privileged ? null : given(request.MaskedPaths, maskedPaths),
    ReadonlyPaths: request.Privileged ? null : given(request.ReadonlyPaths, readonlyPaths),
    Init: given(request.Init, defaults.init ? true : null),
  };
}

function normalizeResources(request: HostConfig): HostConfig {
  const memory = given(request.Memory, 0);
  const swap = given(request.MemorySwap, 0);
  const swappiness = given(request.MemorySwappiness, -1);
  const pids = given(request.PidsLimit, 0);
  return {
    OomScoreAdj: given(request.OomScoreAdj, 0),
    MemorySwap: memory > 0 && swap === 0 ? memory * 2 : swap,
    MemorySwappiness: swappiness < 0 ? null : swappiness,
    PidsLimit: pids <= 0 ? null : pids,
    BlkioWeightDevice: request.BlkioWeightDevice ?? null,
    BlkioDeviceReadBps: request.BlkioDeviceReadBps ?? null,
    BlkioDeviceWriteBps: request.BlkioDeviceWriteBps ?? null,
    BlkioDeviceReadIOps: request.BlkioDeviceReadIOps ?? null,
    BlkioDeviceWriteIOps: request.BlkioDeviceWriteIOps ?? null,
    Devices: request.Devices ?? null,
    DeviceRequests: request.DeviceRequests?.map((asked) => ({ ...noDevices, ...asked })) ?? null,
    Ulimits: request.Ulimits ?? null,
  };
}

/** The daemon's options go with its driver only. */
function logConfig(asked: LogConfig | undefined, defaults: HostDefaults): LogConfig {
  const type = filled(asked?.Type, defaults.logDriver);
  const inherited = type === defaults.logDriver ? defaults.logOptions : {};
  return { Type: type, Config: { ...inherited, ...asked?.Config } };
}

/** Bindings in full, null as null. */
function portBindings(asked: PortMap | null | undefined): PortMap | null {
  if (!asked) return null;
  const complete = (binding: PortBinding): PortBinding => ({ HostIp: '', HostPort: '', ...binding });
  const entries = Object.entries(asked).map(([port, bindings]) => [port, bindings?.map(complete) ?? null]);
  return Object.fromEntries(entries) as PortMap;
}

/** A request for devices in full. */
const noDevices = { Driver: '', Count: 0, DeviceIDs: null, Capabilities: null, Options: null };

const networkMode = (mode: string | undefined): string => (!mode || mode === 'default' ? 'bridge' : mode);

/** Under cgroup v2 a container has a cgroup namespace of its own, unless it is privileged or the daemon says otherwise. */
function cgroupnsMode(request: HostConfig, defaults: HostDefaults): 'private' | 'host' {
  if (defaults.cgroupnsMode !== undefined) return defaults.cgroupnsMode;
  return defaults.cgroup2 && !request.Privileged ? 'private' : 'host';
}

/** A privileged container, or one in the host's processes, is not labelled; Docker notes that here. */
function securityOptions(request: HostConfig): readonly string[] | null {
  const given = request.SecurityOpt ?? null;
  const onHost = request.Privileged || request.IpcMode === 'host' || request.PidMode === 'host';
  if (!onHost || given?.some((option) => option.startsWith('label'))) return given;
  return [...(given ?? []), 'label=disable'];
}
