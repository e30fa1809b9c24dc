import type { EndpointSettings } from '#api/types';
import type { NetworkAttachment } from '../../flags/index.ts';
import { checkMac } from '../../flags/index.ts';
import type { CreateValues } from './create-flags.ts';

export const networkMode = (flags: CreateValues): string => flags.network[0]?.target ?? 'default';

const isUserDefined = (target: string): boolean =>
  !['default', 'bridge', 'host', 'none', ''].includes(target) && !target.startsWith('container:');

/** The networks to connect to, by name. Throws Docker's texts where options contradict each other. */
export function makeEndpoints(flags: CreateValues): Readonly<Record<string, EndpointSettings>> {
  const endpoints: Record<string, EndpointSettings> = {};
  const asked = flags.network.length > 0 ? flags.network : [bare('default')];
  // A single network without options is named by NetworkMode alone.
  const [only] = flags.network;
  if (
    flags.network.length === 1 &&
    only &&
    isPlain(applyOptions(only, flags)) &&
    !(isUserDefined(only.target) && flags.link.length > 0)
  )
    return {};
  for (const [at, network] of asked.entries()) {
    const merged = at === 0 ? applyOptions(network, flags) : network;
    const endpoint = makeEndpoint(merged, at === 0 && isUserDefined(network.target) ? flags.link : []);
    if (Object.hasOwn(endpoints, network.target)) {
      throw new Error(`network ${JSON.stringify(network.target)} is specified multiple times`);
    }
    endpoints[network.target] = endpoint;
  }
  if (asked.length > 1 && new Set(asked.map(({ target }) => isUserDefined(target))).size > 1) {
    throw new Error(
      'conflicting options: cannot attach both user-defined and non-user-defined network-modes',
    );
  }
  return endpoints;
}

const bare = (target: string): NetworkAttachment => ({
  target,
  aliases: [],
  driverOpts: {},
  ipv4: '',
  ipv6: '',
  linkLocal: [],
  mac: '',
  priority: 0,
});

const isPlain = ({ aliases, driverOpts, ipv4, ipv6, linkLocal, mac, priority }: NetworkAttachment): boolean =>
  aliases.length + linkLocal.length + Object.keys(driverOpts).length + priority === 0 &&
  ipv4 + ipv6 + mac === '';

/** The first network also takes what the container's own options say. */
function applyOptions(network: NetworkAttachment, flags: CreateValues): NetworkAttachment {
  refuseBoth('--network-alias', 'alias', network.aliases, flags['network-alias']);
  refuseBoth('--ip', 'IPv4 address', network.ipv4, flags.ip);
  refuseBoth('--ip6', 'IPv6 address', network.ipv6, flags.ip6);
  refuseBoth('--mac-address', 'MAC address', network.mac, flags['mac-address']);
  refuseBoth('--link-local-ip', 'link-local IP addresses', network.linkLocal, flags['link-local-ip']);
  const aliases = [...network.aliases, ...flags['network-alias']];
  if (aliases.length > 0 && !isUserDefined(network.target)) {
    throw new Error('network-scoped aliases are only supported for user-defined networks');
  }
  return {
    ...network,
    aliases,
    ipv4: network.ipv4 || flags.ip,
    ipv6: network.ipv6 || flags.ip6,
    mac: network.mac || (flags['mac-address'] === '' ? '' : checkMac(flags['mac-address'])),
    linkLocal: [...network.linkLocal, ...flags['link-local-ip']],
  };
}

function refuseBoth(
  option: string,
  thing: string,
  own: { length: number },
  general: { length: number },
): void {
  if (own.length > 0 && general.length > 0) {
    throw new Error(`conflicting options: cannot specify both ${option} and per-network ${thing}`);
  }
}

function makeEndpoint(network: NetworkAttachment, links: readonly string[]): EndpointSettings {
  const { aliases, driverOpts, ipv4, ipv6, linkLocal, mac, priority } = network;
  const ipam = ipv4 !== '' || ipv6 !== '' || linkLocal.length > 0;
  return {
    IPAMConfig: ipam
      ? {
          ...(ipv4 !== '' && { IPv4Address: ipv4 }),
          ...(ipv6 !== '' && { IPv6Address: ipv6 }),
          ...(linkLocal.length > 0 && { LinkLocalIPs: linkLocal }),
        }
      : null,
    Links: links.length > 0 ? links : null,
    Aliases: aliases.length > 0 ? aliases : null,
    MacAddress: mac,
    DriverOpts: Object.keys(driverOpts).length > 0 ? driverOpts : null,
    GwPriority: priority,
  };
}
