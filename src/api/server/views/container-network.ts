import { hash } from 'node:crypto';
import type { EndpointSettings, NetworkSettings, PortBinding, PortMap, PortSummary } from '#api/types';
import type { ContainerRecord, Containers, LiveNetwork } from '#containers';
import type { Endpoint, PublishedPort } from '#networks';

/** A network's id by the name a container's endpoint has it under; undefined once it is gone. */
export type NetworkIds = (name: string) => string | undefined;

/** What is left of a run that has ended is not shown, though it takes a moment to go. */
export const liveNetwork = (
  containers: Pick<Containers, 'network'>,
  record: ContainerRecord,
): LiveNetwork | undefined => (record.state.status === 'running' ? containers.network(record.id) : undefined);

/** The container's places in networks: as asked for, and, while it runs, as they are. */
export function viewEndpoints(
  record: ContainerRecord,
  live: LiveNetwork | undefined,
  networkIds: NetworkIds,
): Readonly<Record<string, EndpointSettings>> {
  if (record.config.NetworkDisabled) return {};
  const endpoints = live?.endpoints ?? [];
  const names = new Set([
    ...Object.keys(record.endpoints),
    ...endpoints.map((endpoint) => endpoint.networkName),
  ]);
  const found = [...names].map((name) => {
    const networkId = networkIds(name);
    const endpoint = endpoints.find((one) => one.networkName === name || one.networkId === networkId);
    const shown = viewEndpoint(record.endpoints[name] ?? {}, endpoint, wasUp(record) ? networkId : '');
    const isBare = record.state.status === 'running' && (name === 'host' || name === 'none');
    return [name, isBare ? { ...shown, EndpointID: ownId(record, `endpoint in ${name}`) } : shown] as const;
  });
  return Object.fromEntries(found);
}

/** A network's id is told from the first start on. */
const wasUp = ({ state }: ContainerRecord): boolean =>
  state.status !== 'created' || state.failure !== undefined;

function viewEndpoint(
  asked: EndpointSettings,
  endpoint: Endpoint | undefined,
  networkId: string | undefined,
): EndpointSettings {
  return {
    IPAMConfig: null,
    Links: null,
    Aliases: null,
    DriverOpts: null,
    GwPriority: 0,
    ...asked,
    NetworkID: networkId ?? '',
    ...noAddresses,
    MacAddress: asked.MacAddress ?? '',
    ...(endpoint && viewAddresses(endpoint)),
  };
}

const noAddresses: EndpointSettings = {
  EndpointID: '',
  Gateway: '',
  IPAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
};

function viewAddresses({ ipv4, ipv6, ...endpoint }: Endpoint): EndpointSettings {
  return {
    NetworkID: endpoint.networkId,
    EndpointID: endpoint.id,
    MacAddress: endpoint.macAddress,
    ...(ipv4 && {
      Gateway: ipv4.gateway ?? '',
      IPAddress: ipv4.address,
      IPPrefixLen: ipv4.prefixLength,
    }),
    ...(ipv6 && {
      IPv6Gateway: ipv6.gateway ?? '',
      GlobalIPv6Address: ipv6.address,
      GlobalIPv6PrefixLen: ipv6.prefixLength,
    }),
    ...(endpoint.dnsNames.length > 0 && { DNSNames: endpoint.dnsNames }),
  };
}

const portKey = (port: PublishedPort): string => `${port.containerPort}/${port.protocol}`;

/** The `NetworkSettings` of inspect. */
export function viewNetworkSettings(
  record: ContainerRecord,
  live: LiveNetwork | undefined,
  networkIds: NetworkIds,
): NetworkSettings {
  const onHost = record.state.status === 'running' && record.hostConfig.NetworkMode === 'host';
  return {
    SandboxID: live || onHost ? ownId(record, 'sandbox') : '',
    SandboxKey: live?.sandboxKey ?? (onHost ? '/var/run/docker/netns/default' : ''),
    Ports: viewPorts(record, live),
    Networks: viewEndpoints(record, live, networkIds),
  };
}

/** What has no identity of its own here, since there is one to a container, has an id for clients that expect one. */
const ownId = (record: ContainerRecord, noun: string): string => hash('sha256', `${noun} of ${record.id}`);

function viewPorts(record: ContainerRecord, live: LiveNetwork | undefined): PortMap {
  if (!live) return {};
  const ports = new Map<string, PortBinding[] | null>();
  for (const exposed of Object.keys(record.config.ExposedPorts ?? {})) ports.set(withProtocol(exposed), null);
  for (const port of live.ports) {
    const key = portKey(port);
    const binding = { HostIp: port.hostIp, HostPort: String(port.hostPort) };
    ports.set(key, [...(ports.get(key) ?? []), binding]);
  }
  return Object.fromEntries([...ports].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const withProtocol = (port: string): string => (port.includes('/') ? port : `${port}/tcp`);

/** The `Ports` of a list's entry: one entry per host address, and exposed ports without one. */
export function viewPortSummaries(
  record: ContainerRecord,
  live: LiveNetwork | undefined,
): readonly PortSummary[] {
  if (!live) return [];
  const published = live.ports.map((port) => ({
    IP: port.hostIp,
    PrivatePort: port.containerPort,
    PublicPort: port.hostPort,
    Type: port.protocol,
  }));
  const known = new Set(live.ports.map(portKey));
  const exposed = Object.keys(record.config.ExposedPorts ?? {})
    .map(withProtocol)
    .filter((port) => !known.has(port))
    .map((port): PortSummary => {
      const [number = '', protocol] = port.split('/');
      return {
        PrivatePort: Number(number),
        Type: protocol === 'udp' || protocol === 'sctp' ? protocol : 'tcp',
      };
    });
  return [...published, ...exposed];
}
