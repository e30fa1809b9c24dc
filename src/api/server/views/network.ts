import type { EndpointResource, Network, NetworkInspect } from '#api/types';
import { formatTime } from '#kernel';
import type { Endpoint, NetworkRecord } from '#networks';

/** One entry of GET /networks. */
export function viewNetwork(network: NetworkRecord): Network {
  return {
    Name: network.name,
    Id: network.id,
    Created: formatTime(network.createdAt),
    Scope: 'local',
    Driver: network.driver === 'none' ? 'null' : network.driver,
    EnableIPv4: network.enableIPv4,
    EnableIPv6: network.enableIPv6,
    IPAM: {
      Driver: network.ipamDriver,
      Options: network.ipamOptions,
      Config: network.ipamConfig.map((pool) => ({
        Subnet: pool.subnet,
        ...(pool.ipRange !== undefined && { IPRange: pool.ipRange }),
        ...(pool.gateway !== undefined && { Gateway: pool.gateway }),
        ...(pool.auxAddresses && { AuxiliaryAddresses: pool.auxAddresses }),
      })),
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Options: network.options,
    Labels: network.labels,
  };
}

/** GET /networks/{id}. `nameOf` gives a container's name by id. */
export function viewNetworkInspect(
  network: NetworkRecord,
  endpoints: readonly Endpoint[],
  nameOf: (containerId: string) => string,
): NetworkInspect {
  const containers = endpoints.map(
    (endpoint) => [endpoint.containerId, viewEndpoint(endpoint, nameOf(endpoint.containerId))] as const,
  );
  return { ...viewNetwork(network), Containers: Object.fromEntries(containers) };
}

const viewEndpoint = (endpoint: Endpoint, name: string): EndpointResource => ({
  Name: name,
  EndpointID: endpoint.id,
  MacAddress: endpoint.macAddress,
  IPv4Address: endpoint.ipv4 ? `${endpoint.ipv4.address}/${endpoint.ipv4.prefixLength}` : '',
  IPv6Address: endpoint.ipv6 ? `${endpoint.ipv6.address}/${endpoint.ipv6.prefixLength}` : '',
});
