import { invalidArgument, shortId } from '#kernel';
import type { EndpointSpec, NetworkRecord } from './networks.ts';
import { blockOf, contains, parseAddress } from './ip.ts';
import { listed } from './network-errors.ts';
import { isDefaultBridge } from './network-record.ts';

/**
 * Throws invalidArgument, in Docker's words, if the network cannot give an endpoint what it asks for. For `docker create`
 * and `network connect`, which check before anything is made.
 */
export function validateEndpointSpec(record: NetworkRecord, spec: EndpointSpec): void {
  if (spec.macAddress && !/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(spec.macAddress)) {
    throw invalidArgument(
      `invalid config for network ${record.name}: invalid MAC address ${spec.macAddress}`,
    );
  }
  const problems: string[] = [];
  const asked = ([4, 6] as const).flatMap((family) => {
    const address = family === 4 ? spec.ipv4 : spec.ipv6;
    return address ? [{ family, address }] : [];
  });
  if (asked.length > 0 && (record.driver !== 'bridge' || isDefaultBridge(record))) {
    problems.push('user specified IP address is supported on user defined networks only');
  }
  for (const { family, address } of asked) problems.push(...addressProblems(record, family, address));
  for (const address of spec.linkLocal ?? []) {
    if (!parseAddress(address)) problems.push(`invalid link-local IP address: ${address}`);
  }
  problems.push(...sysctlProblems(spec));
  if (problems.length === 0) return;
  throw invalidArgument(
    `invalid config for network ${record.name}: invalid endpoint settings:\n${listed(problems)}`,
  );
}

function addressProblems(record: NetworkRecord, family: 4 | 6, text: string): string[] {
  const blocks = record.requestedSubnets.map(blockOf).filter((block) => block.family === family);
  if (blocks.length === 0) {
    return [
      'user specified IP address is supported only when connecting to networks with user configured subnets',
    ];
  }
  const parsed = parseAddress(text);
  const address = parsed?.family === family ? parsed : undefined;
  const problems = address ? [] : [`invalid IPv${family} address: ${text}`];
  if (!address || !blocks.some((block) => contains(block, address))) {
    problems.push(`no configured subnet or ip-range contain the IP address ${text}`);
  }
  return problems;
}

/** Kernel parameters of the endpoint's own interface, for which IFNAME stands (`net.ipv4.conf.IFNAME.log_martians=1`). */
const sysctlsOption = 'com.docker.network.endpoint.sysctls';

const sysctlTexts = (spec: EndpointSpec): readonly string[] =>
  (spec.driverOptions?.[sysctlsOption] ?? '').split(',').filter((text) => text !== '');

/** `net.ipv4.conf.IFNAME.log_martians=1` (in lower case from the docker client) → file below /proc/sys and value. */
const parseSysctl = (text: string): RegExpExecArray | null =>
  /^(net)\.(ipv4|ipv6|mpls)\.([a-z]+)\.IFNAME\.([\w/-]+)=(.*)$/i.exec(text);

function sysctlProblems(spec: EndpointSpec): string[] {
  return sysctlTexts(spec)
    .filter((text) => !parseSysctl(text))
    .map(
      (text) =>
        `unrecognised network interface sysctl '${text}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`,
    );
}

/** The kernel parameters asked for, for an interface of this name. */
export function endpointSysctls(
  spec: EndpointSpec,
  interfaceName: string,
): readonly { readonly name: string; readonly value: string }[] {
  return sysctlTexts(spec).flatMap((text) => {
    const [, net = '', family = '', kind = '', parameter = '', value = ''] = parseSysctl(text) ?? [];
    return net === '' ? [] : [{ name: `${net}/${family}/${kind}/${interfaceName}/${parameter}`, value }];
  });
}

/** Link-local addresses with the length of their prefix. Throws invalidArgument for one that is not link-local. */
export function linkLocalAddresses(
  spec: EndpointSpec,
): readonly { readonly address: string; readonly prefixLength: number }[] {
  return (spec.linkLocal ?? []).map((text) => {
    const parsed = parseAddress(text);
    const block = [blockOf('169.254.0.0/16'), blockOf('fe80::/64')].find(
      ({ family }) => family === parsed?.family,
    );
    if (!parsed || !block || !contains(block, parsed)) {
      throw invalidArgument(`invalid link local IP address: ${text}`);
    }
    return { address: text, prefixLength: block.prefixLength };
  });
}

/** The names an endpoint answers to, in Docker's order. The default bridge has no names. */
export function dnsNames(
  record: NetworkRecord,
  container: { readonly containerId: string; readonly containerName: string; readonly hostname: string },
  aliases: readonly string[],
): string[] {
  if (record.driver !== 'bridge' || isDefaultBridge(record)) return [];
  const names = [container.containerName, ...aliases, shortId(container.containerId), container.hostname];
  return [...new Set(names.filter((name) => name !== ''))];
}

/**
 * Docker's former rule, 02:42 and the IPv4 address: an address that is given to another container keeps its MAC, so no
 * neighbour's cache is ever wrong.
 */
export function macOf(ipv4: string | undefined): string | undefined {
  const address = ipv4 === undefined ? undefined : parseAddress(ipv4);
  if (!address) return undefined;
  return `0242${address.value.toString(16).padStart(8, '0')}`.replace(/..(?=.)/g, '$&:');
}

/** As links show it: lower case, colons. Undefined for none. */
export const normalMac = (mac: string | undefined): string | undefined =>
  mac ? mac.toLowerCase().replaceAll('-', ':') : undefined;
