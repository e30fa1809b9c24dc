import type { SystemInfo } from '#api/types';
import { binarySize } from '../../format/units.ts';

/** The `Server:` part of `info`, and what goes to stderr. */
export function describeInfo(info: SystemInfo): { text: string; warnings: readonly string[] } {
  return {
    text: [
      ...counts(info),
      ...storage(info),
      ...plugins(info),
      ...runtimes(info),
      ...security(info),
      ...host(info),
      ...settings(info),
    ].join('\n'),
    warnings: info.Warnings ?? [],
  };
}

const given = (label: string, value: string | undefined): string[] =>
  value === undefined || value === '' ? [] : [` ${label}: ${value}`];

const block = (label: string, lines: readonly string[] | null | undefined): string[] =>
  lines && lines.length > 0 ? [` ${label}:`, ...lines.map((line) => `  ${line}`)] : [];

const counts = (info: SystemInfo): string[] => [
  ` Containers: ${info.Containers}`,
  `  Running: ${info.ContainersRunning}`,
  `  Paused: ${info.ContainersPaused}`,
  `  Stopped: ${info.ContainersStopped}`,
  ` Images: ${info.Images}`,
  ...given('Server Version', info.ServerVersion),
];

const storage = (info: SystemInfo): string[] => [
  ...given('Storage Driver', info.Driver),
  ...((info.DriverStatus as SystemInfo['DriverStatus'] | null) ?? []).map(
    ([name, value]) => `  ${name}: ${value}`,
  ),
  ...given('Logging Driver', info.LoggingDriver),
  ...given('Cgroup Driver', info.CgroupDriver),
  ...given('Cgroup Version', info.CgroupVersion),
];

function plugins({ Plugins, CDISpecDirs, DiscoveredDevices, Swarm }: SystemInfo): string[] {
  const list = (names: readonly string[] | null): string => (names ?? []).join(' ');
  return [
    ' Plugins:',
    `  Volume: ${list(Plugins.Volume)}`,
    `  Network: ${list(Plugins.Network)}`,
    ...((Plugins.Authorization ?? []).length > 0 ? [`  Authorization: ${list(Plugins.Authorization)}`] : []),
    `  Log: ${list(Plugins.Log)}`,
    ...block('CDI spec directories', CDISpecDirs),
    ...block(
      'Discovered Devices',
      DiscoveredDevices?.map(({ Source, ID }) => `${Source}: ${ID}`),
    ),
    ` Swarm: ${Swarm.LocalNodeState}`,
  ];
}

function runtimes(info: SystemInfo): string[] {
  const names = Object.keys(info.Runtimes).sort();
  return [
    ...(names.length > 0
      ? [` Runtimes: ${names.join(' ')}`, ` Default Runtime: ${info.DefaultRuntime}`]
      : []),
    ` Init Binary: ${info.InitBinary}`,
    ` containerd version: ${info.ContainerdCommit.ID}`,
    ` runc version: ${info.RuncCommit.ID}`,
    ` init version: ${info.InitCommit.ID}`,
  ];
}

function security({ SecurityOptions }: SystemInfo): string[] {
  const lines = (SecurityOptions ?? []).flatMap((option) => {
    const fields = option.split(',').map((field) => field.split('='));
    const name = fields.find(([key]) => key === 'name')?.[1] ?? '';
    const rest = fields.filter(([key]) => key !== 'name');
    const title = (key: string): string => key.slice(0, 1).toUpperCase() + key.slice(1);
    return [name, ...rest.map(([key = '', value = '']) => ` ${title(key)}: ${value}`)];
  });
  return block('Security Options', lines);
}

const host = (info: SystemInfo): string[] => [
  ...given('Kernel Version', info.KernelVersion),
  ...given('Operating System', info.OperatingSystem),
  ...given('OSType', info.OSType),
  ...given('Architecture', info.Architecture),
  ` CPUs: ${info.NCPU}`,
  ` Total Memory: ${binarySize(info.MemTotal)}`,
  ...given('Name', info.Name),
  ...given('ID', info.ID),
  ` Docker Root Dir: ${info.DockerRootDir}`,
  ` Debug Mode: ${info.Debug}`,
  ...(info.Debug
    ? [
        `  File Descriptors: ${info.NFd}`,
        `  Goroutines: ${info.NGoroutines}`,
        `  System Time: ${info.SystemTime}`,
        `  EventsListeners: ${info.NEventsListener}`,
      ]
    : []),
  ...given('HTTP Proxy', info.HttpProxy),
  ...given('HTTPS Proxy', info.HttpsProxy),
  ...given('No Proxy', info.NoProxy),
  ...block('Labels', info.Labels),
];

function settings(info: SystemInfo): string[] {
  const registry = info.RegistryConfig;
  const insecure = registry
    ? [
        ...Object.entries(registry.IndexConfigs)
          .filter(([, index]) => !index.Secure)
          .map(([name]) => name),
        ...registry.InsecureRegistryCIDRs,
      ]
    : [];
  return [
    ` Experimental: ${info.ExperimentalBuild}`,
    ...block('Insecure Registries', insecure),
    ...block('Registry Mirrors', registry?.Mirrors),
    ` Live Restore Enabled: ${info.LiveRestoreEnabled}`,
    ...given('Product License', info.ProductLicense),
    ...block(
      'Default Address Pools',
      info.DefaultAddressPools?.map(({ Base, Size }) => `Base: ${Base}, Size: ${Size}`),
    ),
    '',
  ];
}
