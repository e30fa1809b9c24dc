import { readHostResolvConf, resolvConf, type Sandbox } from '#networks';
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
      hostResolvConf: readHostResolvConf(),
      mode: resolverMode(network),
      dns: chosen(hostConfig.Dns, host.dns),
      search: chosen(hostConfig.DnsSearch, host.dnsSearch),
      options: chosen(hostConfig.DnsOptions, host.dnsOptions),
    }),
  });
}

/** Writes them again after a network was connected or disconnected; a program that has read them may not notice. */
export async function rewriteContainerEtc(ctx: ContainerContext, record: ContainerRecord): Promise<void> {
  const sandbox: Sandbox | undefined = ctx.options.networks.findSandbox(record.id);
  if (sandbox) await writeContainerEtc(ctx, record, { mode: 'own', sandbox, path: sandbox.path });
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
