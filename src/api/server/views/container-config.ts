import type { ContainerConfig, HostConfig } from '#api/types';

const configDefaults: ContainerConfig = {
  Hostname: '',
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: null,
  Cmd: null,
  Image: '',
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  Labels: {},
};

/** Left out when they say nothing. */
const configOptional: readonly string[] = [
  'ExposedPorts',
  'Healthcheck',
  'ArgsEscaped',
  'NetworkDisabled',
  'OnBuild',
  'StopSignal',
  'StopTimeout',
  'Shell',
  'MacAddress',
];

const hostDefaults: HostConfig = {
  Binds: null,
  ContainerIDFile: '',
  LogConfig: { Type: 'json-file', Config: {} },
  NetworkMode: 'bridge',
  PortBindings: null,
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  AutoRemove: false,
  VolumeDriver: '',
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: 'host',
  Dns: null,
  DnsOptions: null,
  DnsSearch: null,
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: 'private',
  Cgroup: '',
  Links: null,
  OomScoreAdj: 0,
  PidMode: '',
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: '',
  UsernsMode: '',
  ShmSize: 67_108_864,
  Runtime: '',
  Isolation: '',
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: '',
  CpusetMems: '',
  Devices: null,
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: false,
  PidsLimit: null,
  Ulimits: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
  MaskedPaths: null,
  ReadonlyPaths: null,
};

const hostOptional: readonly string[] = [
  'Mounts',
  'Annotations',
  'StorageOpt',
  'Tmpfs',
  'Sysctls',
  'Init',
  'KernelMemory',
  'KernelMemoryTCP',
];

const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === '' ||
  value === false ||
  value === 0 ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/** Every field that inspect always shows, and those of the others that say something. */
function complete<T extends object>(value: T, defaults: T, optional: readonly string[]): T {
  const kept = Object.entries(value).filter(
    ([name, field]: [string, unknown]) =>
      field !== undefined && !(optional.includes(name) && isEmpty(field) && field !== false && field !== 0),
  );
  // The fields are T's own.
  return { ...defaults, ...Object.fromEntries(kept) };
}

/** The `Config` of inspect. */
export const viewConfig = (config: ContainerConfig): ContainerConfig =>
  complete(config, configDefaults, configOptional);

/** The `HostConfig` of inspect. */
export const viewHostConfig = (config: HostConfig): HostConfig =>
  complete(config, hostDefaults, hostOptional);
