import {
  parseNetworkConnectRequest,
  parseNetworkCreateRequest,
  parseNetworkDisconnectRequest,
  type NetworkCreateRequest,
  type NetworkCreateResponse,
  type NetworksPruneResponse,
} from '#api/types';
import { invalidArgument, isKind } from '#kernel';
import type { NetworkRecord, NetworkSpec } from '#networks';
import { created, done, noContent, ok } from '../answer.ts';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import type { Filters } from '../filters.ts';
import { named, type Route } from '../route.ts';
import { viewNetwork, viewNetworkInspect } from '../views/network.ts';
import { prune, untilTest } from './prune.ts';

type NetworkBackends = Pick<Backends, 'networks' | 'containers' | 'clock' | 'events'>;

const predefined: readonly string[] = ['bridge', 'host', 'none'];

export function networkRoutes(backends: NetworkBackends): readonly Route[] {
  const { networks, containers } = backends;
  return [
    {
      method: 'GET',
      path: '/networks',
      operation: 'NetworkList',
      handle: (exchange) => ok(list(backends, exchange).map(viewNetwork)),
    },
    {
      method: 'POST',
      path: '/networks/create',
      operation: 'NetworkCreate',
      handle: async (exchange) => {
        const spec = networkSpec(await exchange.body(parseNetworkCreateRequest));
        const answer: NetworkCreateResponse = { Id: (await networks.create(spec)).id, Warning: '' };
        return created(answer);
      },
    },
    {
      method: 'POST',
      path: '/networks/prune',
      operation: 'NetworkPrune',
      handle: async (exchange) => ok(await pruneNetworks(backends, exchange)),
    },
    {
      method: 'POST',
      path: named('networks', '/connect'),
      operation: 'NetworkConnect',
      handle: async (exchange) => {
        const { Container = '', EndpointConfig } = await exchange.body(parseNetworkConnectRequest);
        await containers.connectNetwork(Container, exchange.name, EndpointConfig ?? {});
        return done;
      },
    },
    {
      method: 'POST',
      path: named('networks', '/disconnect'),
      operation: 'NetworkDisconnect',
      handle: async (exchange) => {
        const { Container = '', Force = false } = await exchange.body(parseNetworkDisconnectRequest);
        await containers.disconnectNetwork(Container, exchange.name, { force: Force });
        return done;
      },
    },
    {
      method: 'GET',
      path: named('networks'),
      operation: 'NetworkInspect',
      handle: (exchange) => {
        const network = networks.get(exchange.name);
        return ok(viewNetworkInspect(network, networks.endpoints(network.id), nameOf(backends)));
      },
    },
    {
      method: 'DELETE',
      path: named('networks'),
      operation: 'NetworkDelete',
      handle: async (exchange) => {
        await networks.remove(exchange.name);
        return noContent;
      },
    },
  ];
}

const nameOf =
  ({ containers }: NetworkBackends) =>
  (id: string): string => {
    try {
      return containers.get(id).name;
    } catch (error) {
      // Its endpoint outlives a container by the moment of its removal.
      if (isKind(error, 'notFound')) return '';
      throw error;
    }
  };

function networkSpec(request: NetworkCreateRequest): NetworkSpec {
  const { IPAM: ipam } = request;
  const pools = (ipam?.Config ?? []).map((pool) => ({
    subnet: pool.Subnet ?? '',
    ...(pool.IPRange && { ipRange: pool.IPRange }),
    ...(pool.Gateway && { gateway: pool.Gateway }),
    ...((pool.AuxiliaryAddresses ?? pool.AuxAddress) && {
      auxAddresses: pool.AuxiliaryAddresses ?? pool.AuxAddress ?? {},
    }),
  }));
  return {
    name: request.Name ?? '',
    ...(request.Driver && { driver: request.Driver }),
    internal: request.Internal ?? false,
    attachable: request.Attachable ?? false,
    ...(typeof request.EnableIPv4 === 'boolean' && { enableIPv4: request.EnableIPv4 }),
    ...(typeof request.EnableIPv6 === 'boolean' && { enableIPv6: request.EnableIPv6 }),
    ...(ipam && {
      ipam: {
        ...(ipam.Driver && { driver: ipam.Driver }),
        ...(ipam.Options && { options: ipam.Options }),
        pools,
      },
    }),
    ...(request.Options && { options: request.Options }),
    ...(request.Labels && { labels: request.Labels }),
  };
}

function list({ networks }: NetworkBackends, { query }: Exchange): readonly NetworkRecord[] {
  const filters = query.filters(['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type']);
  const dangling = danglingFilter(filters);
  for (const type of filters.all('type')) {
    if (type !== 'custom' && type !== 'builtin') throw invalidArgument(`invalid filter: 'type'='${type}'`);
  }
  return networks.list().filter((network) => {
    const builtin = predefined.includes(network.name);
    const unused = !builtin && networks.endpoints(network.id).length === 0;
    return (
      (dangling === undefined || dangling === unused) &&
      filters.exact('driver', viewNetwork(network).Driver) &&
      filters.pattern('id', network.id) &&
      filters.pattern('name', network.name) &&
      filters.labels(network.labels) &&
      filters.exact('scope', 'local') &&
      filters.exact('type', builtin ? 'builtin' : 'custom')
    );
  });
}

/** Refused in words of its own, unlike other nouns' filters. */
function danglingFilter(filters: Filters): boolean | undefined {
  const values = filters.all('dangling');
  if (values.length > 1) throw invalidArgument('got more than one value for filter key "dangling"');
  try {
    return filters.boolean('dangling');
  } catch (error) {
    throw invalidArgument(
      `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`,
      error,
    );
  }
}

async function pruneNetworks(
  backends: NetworkBackends,
  { query, signal }: Exchange,
): Promise<NetworksPruneResponse> {
  const { networks, clock, events } = backends;
  const filters = query.filters(['label', 'label!', 'until']);
  const isOldEnough = untilTest(filters, clock.now());
  const { removed } = await prune({
    noun: 'network',
    items: networks
      .list()
      .filter(({ name, id }) => !predefined.includes(name) && networks.endpoints(id).length === 0)
      .filter(({ labels, createdAt }) => filters.labels(labels) && isOldEnough(createdAt)),
    remove: async ({ id, name }) => {
      await networks.remove(id);
      return { removed: [name], bytes: 0 };
    },
    events,
    signal,
  });
  return { NetworksDeleted: removed.length > 0 ? removed : null };
}
