import { readFileSync } from 'node:fs';
import { errnoOf } from '#kernel';
import { resolvConf } from '#networks';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import { stateFolderOf } from './container-paths.ts';
import { extraHosts, hostsFile, writeEtcFiles, type HostsEntry } from './etc-files.ts';
import type { ContainerNetwork } from './network.ts';

/** Writes a container's hosts, hostname and resolv.conf; one in another's network namespace uses that one's. */
export async function writeContainerEtc(
  ctx: ContainerContext,
  record: ContainerRecord,
  network: ContainerNetwork,
): Promise<void> {
  if (network.mode === 'joined') return;
  const { host, networks } = ctx.options;
  const { hostConfig, config } = record;
  const gateway = host.hostGateway ?? networks.find('bridge')?.pools[0]?.gateway;
  await writeEtcFiles(stateFolderOf(ctx, record.id), {
    hostname: config.Hostname ?? '',
    hosts: hostsFile([...extraHosts(hostConfig.ExtraHosts ?? [], gateway), ...ownEntries(record, network)], {
      ipv6: true,
    }),
    resolvConf: resolvConf({
      hostResolvConf: hostResolvConf(),
      mode: resolverMode(network),
      dns: chosen(hostConfig.Dns, host.dns),
      search: chosen(hostConfig.DnsSearch, host.dnsSearch),
      options: chosen(hostConfig.DnsOptions, host.dnsOptions),
    }),
  });
}

/** The container's names at each of its addresses. */
function ownEntries({ config }: ContainerRecord, network: ContainerNetwork): readonly HostsEntry[] {
  if (network.mode !== 'own') return [];
  const { Hostname: hostname = '', Domainname: domain = '' } = config;
  const names = domain === '' ? [hostname] : [`${hostname}.${domain}`, hostname];
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

/** A host without the file has the local resolver, by resolv.conf(5). */
function hostResolvConf(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}
