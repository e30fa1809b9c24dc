import type { EndpointSettings } from '#api/types';
import { EngineError, invalidArgument, kindOf, messageOf, prefixErrors } from '#kernel';
import type { EndpointSpec, Sandbox } from '#networks';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import { joinedNetwork, sharedContainer } from './namespaces.ts';
import { portRequests } from './ports.ts';

/** Where a container's network is: in a sandbox of its own, in another container's namespace, or the host's. */
export type ContainerNetwork =
  | { readonly mode: 'own'; readonly sandbox: Sandbox; readonly path: string }
  | { readonly mode: 'joined'; readonly path: string | undefined; readonly other: string }
  | { readonly mode: 'host'; readonly path: undefined };

const prefix = 'failed to set up container networking: ';

/** Docker's words for networks that cannot be had together with others. */
export const mixtures = {
  shared:
    'container sharing network namespace with another container or host cannot be connected to any other network',
  host: 'cannot connect container to host network - container must be created in host network mode',
  none: 'container cannot be connected to multiple networks with one of the networks in private (none) mode',
} as const;

/** Throws for networks that cannot be had together with others: the host's stack, and none at all. */
function refuseMixture(ctx: ContainerContext, mode: string, names: readonly string[]): void {
  const has = (driver: string): boolean =>
    names.some((name) => ctx.options.networks.find(name)?.driver === driver);
  const refuse = (why: string): never => {
    throw invalidArgument(`${prefix}${why}`);
  };
  if (names.length < 2) return;
  if (mode === 'host') {
    refuse(mixtures.shared);
  }
  if (has('host')) {
    refuse(mixtures.host);
  }
  if (has('none')) {
    refuse(mixtures.none);
  }
}

/** Opens what the network mode asks for. Failures say that it was the network that failed, and keep their kind. */
export async function openNetwork(ctx: ContainerContext, record: ContainerRecord): Promise<ContainerNetwork> {
  const mode = record.hostConfig.NetworkMode ?? 'bridge';
  const other = sharedContainer(mode);
  if (other === undefined) refuseMixture(ctx, mode, Object.keys(record.endpoints));
  if (mode === 'host') return { mode: 'host', path: undefined };
  if (other !== undefined) {
    prefixErrors('joining network namespace of container: ', () => ctx.store.get(other));
    return { mode: 'joined', path: joinedNetwork(other, record.id, (ref) => ctx.store.get(ref)), other };
  }
  const names = record.config.NetworkDisabled || mode === 'none' ? [] : Object.entries(record.endpoints);
  try {
    const sandbox = await ctx.options.networks.openSandbox({
      containerId: record.id,
      containerName: record.name,
      hostname: record.config.Hostname ?? '',
      endpoints: names.map(([network, settings]) => ({ network, spec: endpointSpec(settings) })),
      ports: names.length === 0 ? [] : portRequests(record.config, record.hostConfig),
      isSilent: ctx.untold.has(record.id),
      ...((record.hostConfig.Dns ?? []).length > 0 && { dns: record.hostConfig.Dns ?? [] }),
    });
    return { mode: 'own', sandbox, path: sandbox.path };
  } catch (error) {
    const message = messageOf(error);
    throw new EngineError(kindOf(error), message.startsWith(prefix) ? message : prefix + message, {
      cause: error,
    });
  }
}

/** An endpoint as the request has it, in the networks' own terms. */
export function endpointSpec(settings: EndpointSettings): EndpointSpec {
  const { IPAMConfig: ipam } = settings;
  return {
    ...(settings.Aliases && { aliases: settings.Aliases }),
    ...(settings.Links && { links: settings.Links }),
    ...(ipam?.IPv4Address && { ipv4: ipam.IPv4Address }),
    ...(ipam?.IPv6Address && { ipv6: ipam.IPv6Address }),
    ...(ipam?.LinkLocalIPs && { linkLocal: ipam.LinkLocalIPs }),
    ...(settings.MacAddress && { macAddress: settings.MacAddress }),
    ...(settings.DriverOpts && { driverOptions: settings.DriverOpts }),
    ...(settings.GwPriority !== undefined && { gatewayPriority: settings.GwPriority }),
  };
}
