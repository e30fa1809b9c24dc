import type { ContainerConfig, ContainerCreateRequest, UpdateConfig } from '../container-config.ts';
import type { EndpointIPAMConfig, EndpointSettings, NetworkingConfig } from '../endpoint.ts';
import type { HealthConfig } from '../health.ts';
import type { HostConfig, LogConfig } from '../host-config.ts';
import type { BindOptions, ImageOptions, Mount, TmpfsOptions, VolumeOptions } from '../mount.ts';
import type { PortBinding } from '../port.ts';
import type {
  DeviceMapping,
  DeviceRequest,
  Resources,
  RestartPolicy,
  ThrottleDevice,
  Ulimit,
  WeightDevice,
} from '../resources.ts';
import {
  boolean,
  consoleSize,
  duration,
  emptyStruct,
  fileMode,
  int,
  int64,
  list,
  map,
  read,
  string,
  stringOrList,
  struct,
  uint16,
  uint64,
  type Shape,
} from './shape.ts';

type Fields<T> = Readonly<Record<keyof Required<T>, Shape>>;

const text = string();
const texts = list(text);
const labels = map(text);
const set = map(emptyStruct);

const healthConfig = struct<HealthConfig>('container.HealthConfig', {
  Test: texts,
  Interval: duration,
  Timeout: duration,
  Retries: int,
  StartPeriod: duration,
  StartInterval: duration,
});

const containerConfigFields: Fields<ContainerConfig> = {
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: boolean,
  AttachStdout: boolean,
  AttachStderr: boolean,
  ExposedPorts: { ...set, go: 'nat.PortSet' },
  Tty: boolean,
  OpenStdin: boolean,
  StdinOnce: boolean,
  Env: texts,
  Cmd: stringOrList,
  Healthcheck: healthConfig,
  ArgsEscaped: boolean,
  Image: text,
  Volumes: set,
  WorkingDir: text,
  Entrypoint: stringOrList,
  NetworkDisabled: boolean,
  OnBuild: texts,
  Labels: labels,
  StopSignal: text,
  StopTimeout: int,
  Shell: stringOrList,
  MacAddress: text,
};

const throttleDevices = list(
  struct<ThrottleDevice>('blkiodev.ThrottleDevice', { Path: text, Rate: uint64 }),
  '[]*blkiodev.ThrottleDevice',
);

const resourceFields: Fields<Resources> = {
  CpuShares: int64,
  Memory: int64,
  CgroupParent: text,
  BlkioWeight: uint16,
  BlkioWeightDevice: list(
    struct<WeightDevice>('blkiodev.WeightDevice', { Path: text, Weight: uint16 }),
    '[]*blkiodev.WeightDevice',
  ),
  BlkioDeviceReadBps: throttleDevices,
  BlkioDeviceWriteBps: throttleDevices,
  BlkioDeviceReadIOps: throttleDevices,
  BlkioDeviceWriteIOps: throttleDevices,
  CpuPeriod: int64,
  CpuQuota: int64,
  CpuRealtimePeriod: int64,
  CpuRealtimeRuntime: int64,
  CpusetCpus: text,
  CpusetMems: text,
  Devices: list(
    struct<DeviceMapping>('container.DeviceMapping', {
      PathOnHost: text,
      PathInContainer: text,
      CgroupPermissions: text,
    }),
  ),
  DeviceCgroupRules: texts,
  DeviceRequests: list(
    struct<DeviceRequest>('container.DeviceRequest', {
      Driver: text,
      Count: int,
      DeviceIDs: texts,
      Capabilities: list(texts),
      Options: labels,
    }),
  ),
  MemoryReservation: int64,
  MemorySwap: int64,
  MemorySwappiness: int64,
  NanoCpus: int64,
  OomKillDisable: boolean,
  Init: boolean,
  PidsLimit: int64,
  Ulimits: list(
    struct<Ulimit>('units.Ulimit', { Name: text, Soft: int64, Hard: int64 }),
    '[]*container.Ulimit',
  ),
  CpuCount: int64,
  CpuPercent: int64,
  IOMaximumIOps: uint64,
  IOMaximumBandwidth: uint64,
  KernelMemory: int64,
  KernelMemoryTCP: int64,
};

const restartPolicy = struct<RestartPolicy>('container.RestartPolicy', {
  Name: string('container.RestartPolicyMode'),
  MaximumRetryCount: int,
});

const mount = struct<Mount>('mount.Mount', {
  Target: text,
  Source: text,
  Type: string('mount.Type'),
  ReadOnly: boolean,
  Consistency: string('mount.Consistency'),
  BindOptions: struct<BindOptions>('mount.BindOptions', {
    Propagation: string('mount.Propagation'),
    NonRecursive: boolean,
    CreateMountpoint: boolean,
    ReadOnlyNonRecursive: boolean,
    ReadOnlyForceRecursive: boolean,
  }),
  VolumeOptions: struct<VolumeOptions>('mount.VolumeOptions', {
    NoCopy: boolean,
    Labels: labels,
    DriverConfig: struct<NonNullable<VolumeOptions['DriverConfig']>>('mount.Driver', {
      Name: text,
      Options: labels,
    }),
    Subpath: text,
  }),
  ImageOptions: struct<ImageOptions>('mount.ImageOptions', { Subpath: text }),
  TmpfsOptions: struct<TmpfsOptions>('mount.TmpfsOptions', {
    SizeBytes: int64,
    Mode: fileMode,
    Options: list(texts),
  }),
});

const portBindings = list(struct<PortBinding>('nat.PortBinding', { HostIp: text, HostPort: text }));

const hostConfig = struct<HostConfig>('container.HostConfig', {
  ...resourceFields,
  Binds: texts,
  ContainerIDFile: text,
  LogConfig: struct<LogConfig>('container.LogConfig', { Type: text, Config: labels }),
  NetworkMode: string('container.NetworkMode'),
  PortBindings: map(portBindings, 'nat.PortMap'),
  RestartPolicy: restartPolicy,
  AutoRemove: boolean,
  RestartUnhealthy: boolean,
  VolumeDriver: text,
  VolumesFrom: texts,
  Mounts: list(mount),
  ConsoleSize: consoleSize,
  Annotations: labels,
  CapAdd: stringOrList,
  CapDrop: stringOrList,
  CgroupnsMode: string('container.CgroupnsMode'),
  Dns: texts,
  DnsOptions: texts,
  DnsSearch: texts,
  ExtraHosts: texts,
  GroupAdd: texts,
  IpcMode: string('container.IpcMode'),
  Cgroup: string('container.CgroupSpec'),
  Links: texts,
  OomScoreAdj: int,
  PidMode: string('container.PidMode'),
  Privileged: boolean,
  PublishAllPorts: boolean,
  ReadonlyRootfs: boolean,
  SecurityOpt: texts,
  StorageOpt: labels,
  Tmpfs: labels,
  UTSMode: string('container.UTSMode'),
  UsernsMode: string('container.UsernsMode'),
  ShmSize: int64,
  Sysctls: labels,
  Runtime: text,
  Isolation: string('container.Isolation'),
  MaskedPaths: texts,
  ReadonlyPaths: texts,
});

export const endpointSettings = struct<EndpointSettings>('network.EndpointSettings', {
  IPAMConfig: struct<EndpointIPAMConfig>('network.EndpointIPAMConfig', {
    IPv4Address: text,
    IPv6Address: text,
    LinkLocalIPs: texts,
  }),
  Links: texts,
  Aliases: texts,
  MacAddress: text,
  DriverOpts: labels,
  GwPriority: int,
  NetworkID: text,
  EndpointID: text,
  Gateway: text,
  IPAddress: text,
  IPPrefixLen: int,
  IPv6Gateway: text,
  GlobalIPv6Address: text,
  GlobalIPv6PrefixLen: int,
  DNSNames: texts,
});

const createRequest = struct<ContainerCreateRequest>('container.CreateRequest', {
  ...containerConfigFields,
  HostConfig: hostConfig,
  NetworkingConfig: struct<NetworkingConfig>('network.NetworkingConfig', {
    EndpointsConfig: map(endpointSettings, 'map[string]*network.EndpointSettings'),
  }),
});

/** Reads the body of POST /containers/create. Throws invalidArgument `invalid JSON: …`. */
export const parseContainerCreateRequest = (body: unknown): ContainerCreateRequest =>
  read(createRequest, body, { owner: '' });

const containerConfig = struct<ContainerConfig>('container.Config', containerConfigFields);

/** Reads the body of POST /commit. */
export const parseContainerConfig = (body: unknown): ContainerConfig =>
  read(containerConfig, body, { owner: '' });

const updateConfig = struct<UpdateConfig>('container.UpdateConfig', {
  ...resourceFields,
  RestartPolicy: restartPolicy,
});

/** Reads the body of POST /containers/{id}/update. */
export const parseUpdateConfig = (body: unknown): UpdateConfig =>
  read(updateConfig, body, { owner: 'UpdateConfig' });
