import { isIP } from 'node:net';
import type { ContainerConfig, ContainerCreateRequest, EndpointSettings, HostConfig } from '#api/types';
import { invalidArgument } from '#kernel';
import { validateEndpointSpec } from '#networks';
import type { ContainerContext } from '../context.ts';
import { sharedContainer } from '../start/namespaces.ts';
import { endpointSpec } from '../start/network.ts';

/**
 * The endpoints asked for, by network. Refuses, in Docker's words, what they cannot be; a network that does not exist yet
 * is no error.
 */
export function validateNetwork(
  config: ContainerConfig,
  host: HostConfig,
  request: ContainerCreateRequest,
  ctx: ContainerContext,
): Readonly<Record<string, EndpointSettings>> {
  validateShared(config, host, request);
  const asked = askedEndpoints(host, request);
  for (const [name, settings] of Object.entries(asked)) {
    const network = ctx.options.networks.find(name);
    if (network) validateEndpointSpec(network, endpointSpec(settings));
    if (name === 'bridge' && !isEmpty(settings.Aliases)) {
      throw invalidArgument(
        `invalid config for network ${name}: invalid endpoint settings:\nnetwork-scoped alias is supported only for containers in user defined networks`,
      );
    }
  }
  const wrong = (host.Dns ?? []).find((address) => isIP(address) === 0);
  if (wrong !== undefined) throw invalidArgument(`invalid DNS address: ${wrong}`);
  return asked;
}

const isEmpty = (value: object | null | undefined): boolean => Object.keys(value ?? {}).length === 0;

/** What belongs to the other container's network cannot be asked for again. */
function validateShared(config: ContainerConfig, host: HostConfig, request: ContainerCreateRequest): void {
  const mode = host.NetworkMode ?? '';
  const other = sharedContainer(mode);
  if (other === undefined) return;
  const refuse = (condition: boolean, what: string): void => {
    if (condition) throw invalidArgument(`conflicting options: ${what}`);
  };
  if (other === '') {
    throw invalidArgument('invalid network mode: invalid container format container:<name|id>');
  }
  refuse(Boolean(config.Hostname), 'hostname and the network mode');
  refuse(!isEmpty(host.Dns), 'dns and the network mode');
  refuse(!isEmpty(host.ExtraHosts), 'custom host-to-IP mapping and the network mode');
  refuse(
    !isEmpty(host.PortBindings) || (host.PublishAllPorts ?? false),
    'port publishing and the container type network mode',
  );
  refuse(!isEmpty(config.ExposedPorts), 'port exposing and the container type network mode');
  for (const [name, settings] of Object.entries(request.NetworkingConfig?.EndpointsConfig ?? {})) {
    if (!settings?.IPAMConfig?.IPv4Address && !settings?.IPAMConfig?.IPv6Address) continue;
    throw invalidArgument(
      `invalid config for network ${name}: invalid endpoint settings:\nuser specified IP address is supported on user defined networks only`,
    );
  }
}

/** The endpoints asked for, that of the network mode first; `default` is the default bridge. */
function askedEndpoints(
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
  const links =
    (host.Links ?? []).length > 0 && mode !== 'bridge' && mode !== 'none' ? { Links: host.Links ?? [] } : {};
  return {
    [mode]: { ...own, ...mac, ...links },
    ...Object.fromEntries(given.filter(([name]) => name !== mode)),
  };
}
