import { readHostResolvConf, resolvConf, type Sandbox } from '#networks';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import { stateFolderOf } from './container-paths.ts';
import { linkHosts, linkingContainers } from '../links.ts';
import {
  extraHosts,
  hostsFile,
  updateEtcFiles,
  writeEtcFiles,
  type EtcFiles,
  type HostsEntry,
} from './etc-files.ts';
import type { ContainerNetwork } from './network.ts';

/** Where every container on a bridge reaches the host by name, as on Docker's desktops. */
const hostName = 'host.docker.internal';

/** Writes a container's hosts, hostname and resolv.conf; one in another's network namespace uses that one's. */
export function writeContainerEtc(
  ctx: ContainerContext,
  record: ContainerRecord,
  network: ContainerNetwork,
): void {
  if (network.mode === 'joined') return;
  writeEtcFiles(stateFolderOf(ctx, record.id), etcFiles(ctx, record, network));
}

/** Writes them again after a network was connected or disconnected; a program that has read them may not notice. */
export function rewriteContainerEtc(ctx: ContainerContext, record: ContainerRecord): void {
  const sandbox: Sandbox | undefined = ctx.options.networks.findSandbox(record.id);
  if (!sandbox) return;
  const network = { mode: 'own', sandbox, path: sandbox.path } as const;
  updateEtcFiles(stateFolderOf(ctx, record.id), etcFiles(ctx, record, network));
}

/** The containers linked to one that has just started learn its new address. */
export function tellLinkingContainers(ctx: ContainerContext, record: ContainerRecord): void {
  for (const linking of linkingContainers(ctx, record)) rewriteContainerEtc(ctx, linking);
}

function etcFiles(
  ctx: ContainerContext,
  record: ContainerRecord,
  network: Exclude<ContainerNetwork, { mode: 'joined' }>,
): EtcFiles {
  const { host, networks } = ctx.options;
  const { hostConfig, config } = record;
  const gateway = host.hostGateway ?? networks.find('bridge')?.pools[0]?.gateway;
  const extra = extraHosts(hostConfig.ExtraHosts ?? [], gateway);
  const entries = [
    ...extra,
    ...linkHosts(ctx, record),
    ...hostEntry(extra, network, gateway),
    ...ownEntries(record, network),
  ];
  return {
    hostname: config.Hostname ?? '',
    hosts: hostsFile(entries, { ipv6: true }),
    resolvConf: resolvConf({
      hostResolvConf: readHostResolvConf(),
      mode: resolverMode(network),
      dns: chosen(hostConfig.Dns, host.dns),
      search: chosen(hostConfig.DnsSearch, host.dnsSearch),
      options: chosen(hostConfig.DnsOptions, host.dnsOptions),
    }),
  };
}

/** The host, unless the container cannot reach it or the user has said where that name leads. */
function hostEntry(
  extra: readonly HostsEntry[],
  network: ContainerNetwork,
  gateway: string | undefined,
): readonly HostsEntry[] {
  if (network.mode !== 'own' || gateway === undefined) return [];
  if (extra.some(({ names }) => names.includes(hostName))) return [];
  const hasWayOut = network.sandbox.endpoints.some(({ ipv4, ipv6 }) => ipv4?.gateway ?? ipv6?.gateway);
  return hasWayOut ? [{ address: gateway, names: [hostName] }] : [];
}

/** The container's names at each of its addresses. */
function ownEntries({ config }: ContainerRecord, network: ContainerNetwork): readonly HostsEntry[] {
  if (network.mode !== 'own') return [];
  const { Hostname: hostname = '', Domainname: domain = '' } = config;
  const full = domain === '' ? hostname : `${hostname}.${domain}`;
  const [short = ''] = hostname.split('.');
  const names = [...new Set([full, domain === '' ? short : hostname])];
  return network.sandbox.endpoints
    .flatMap(({ ipv4, ipv6 }) => [ipv4?.address, ipv6?.address])
    .flatMap((address) => (address === undefined ? [] : [{ address, names }]));
}

function resolverMode(network: ContainerNetwork): 'host' | 'resolver' | 'bridge' {
  if (network.mode !== 'own') return 'host';
  return network.sandbox.endpoints.some(({ networkName }) => networkName !== 'bridge')
    ? 'resolver'
    : 'bridge';
}

const chosen = (
  asked: readonly string[] | null | undefined,
  fallback: readonly string[],
): readonly string[] => (asked && asked.length > 0 ? asked : fallback);
