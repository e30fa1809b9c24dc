import { isIP } from 'node:net';
import type { ContainerConfig, ContainerCreateRequest, EndpointSettings, HostConfig } from '#api/types';
import { invalidArgument, unimplemented } from '#kernel';
import { validateEndpointSpec } from '#networks';
import type { ContainerContext } from '../context.ts';
import { sharedContainer } from '../start/namespaces.ts';
import { endpointSpec } from '../start/network.ts';

/** Refuses, in Docker's words, what the networks asked for cannot be. A network that does not exist yet is no error. */
export function validateNetwork(
  config: ContainerConfig,
  host: HostConfig,
  asked: Readonly<Record<string, EndpointSettings>>,
  ctx: ContainerContext,
): void {
  validateShared(config, host);
  validateLinks(host, ctx);
  for (const [name, settings] of Object.entries(asked)) {
    const network = ctx.options.networks.find(name);
    if (network) validateEndpointSpec(network, endpointSpec(settings));
  }
  const wrong = (host.Dns ?? []).find((address) => isIP(address) === 0);
  if (wrong !== undefined) throw invalidArgument(`invalid DNS address: ${wrong}`);
}

function validateShared(config: ContainerConfig, host: HostConfig): void {
  if (sharedContainer(host.NetworkMode) === undefined) return;
  if (config.Hostname) throw invalidArgument('conflicting options: hostname and the network mode');
  if (Object.keys(host.PortBindings ?? {}).length > 0) {
    throw invalidArgument('conflicting options: port publishing and the container type network mode');
  }
}

function validateLinks(host: HostConfig, ctx: ContainerContext): void {
  const links = host.Links ?? [];
  if (links.length === 0) return;
  if (host.NetworkMode === 'host' || sharedContainer(host.NetworkMode) !== undefined) {
    throw invalidArgument(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
  }
  if (host.NetworkMode === 'bridge') {
    throw unimplemented(
      'links on the default bridge are not supported: put both containers on a network of their own',
    );
  }
  for (const link of links) ctx.store.get(link.split(':', 1)[0] ?? '');
}

/** The endpoints asked for, that of the network mode first; `default` is the default bridge. */
export function askedEndpoints(
  host: HostConfig,
  request: ContainerCreateRequest,
): Readonly<Record<string, EndpointSettings>> {
  const mode = host.NetworkMode ?? 'bridge';
  const given = Object.entries(request.NetworkingConfig?.EndpointsConfig ?? {}).map(
    ([name, settings]) => [name === 'default' ? 'bridge' : name, settings ?? {}] as const,
  );
  if (sharedContainer(mode) !== undefined) return {};
  const own = given.find(([name]) => name === mode)?.[1] ?? {};
  const mac = request.MacAddress && !own.MacAddress ? { MacAddress: request.MacAddress } : {};
  const links = (host.Links ?? []).length > 0 && mode !== 'bridge' ? { Links: host.Links ?? [] } : {};
  return {
    [mode]: { ...own, ...mac, ...links },
    ...Object.fromEntries(given.filter(([name]) => name !== mode)),
  };
}
