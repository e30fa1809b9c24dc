import { randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { EngineError } from '#kernel';
import {
  addAddress,
  changeLink,
  createBridge,
  deleteLink,
  findLink,
  listAddresses,
  listLinks,
  listRoutes,
  NetlinkSocket,
  removeAddress,
  writeSysctl,
  type Link,
  type LinkAddress,
} from '#linux';
import type { NetworkRecord } from './networks.ts';
import { blockOf, parseCidr, type Block } from './ip.ts';
import { bridgeOptions } from './network-record.ts';

const withoutMulticast = (mac: Buffer): Buffer => {
  // Locally administered, unicast (IEEE 802).
  mac[0] = ((mac[0] ?? 0) & 0xfe) | 2;
  return mac;
};

/** A random MAC of our own. */
export const randomMac = (): string =>
  withoutMulticast(randomBytes(6))
    .toString('hex')
    .replace(/..(?=.)/g, '$&:');

/** What the host's links and routes occupy. The default route occupies nothing. */
export function hostBlocks(socket: NetlinkSocket): Block[] {
  const addresses = listAddresses(socket).map((entry) => `${entry.address}/${entry.prefixLength}`);
  const routes = listRoutes(socket).flatMap((route) => route.destination ?? []);
  return [...addresses, ...routes]
    .flatMap((text) => parseCidr(text)?.block ?? [])
    .filter((b) => b.prefixLength > 0);
}

/** The MTU of the way out, or 1500 when there is none. */
export function defaultRouteMtu(socket: NetlinkSocket): number {
  const ways = listRoutes(socket).filter(
    (route) => route.destination === undefined && route.link !== undefined,
  );
  ways.sort((a, b) => a.family - b.family || (a.metric ?? 0) - (b.metric ?? 0));
  const way = ways[0];
  if (!way) return 1500;
  return way.mtu ?? listLinks(socket).find((link) => link.index === way.link)?.mtu ?? 1500;
}

/** Host addresses on the bridge: the gateways of its pools. */
function wantedAddresses(record: NetworkRecord): string[] {
  return record.pools.flatMap((pool) => {
    const block = blockOf(pool.subnet);
    const enabled = block.family === 4 ? record.enableIPv4 : record.enableIPv6;
    return enabled && pool.gateway !== undefined ? [`${pool.gateway}/${block.prefixLength}`] : [];
  });
}

/**
 * Makes the bridge of a network as it should be, whether it exists, partly exists or does not. A bridge that somebody
 * else made (`--bridge`, com.docker.network.bridge.name) is used as it is: it keeps its addresses, its MTU and its life.
 */
export function ensureBridge(
  socket: NetlinkSocket,
  record: NetworkRecord,
  options: { mtu: number; alias: string },
): Link {
  const { name } = bridgeOptions(record);
  const before = findLink(socket, name);
  if (before && before.kind !== 'bridge') {
    throw new EngineError(
      'conflict',
      `${name} exists on the host and is no bridge: choose another bridge name`,
    );
  }
  if (!before) createBridge(socket, { name, macAddress: randomMac(), mtu: options.mtu });
  const link = before ?? findLink(socket, name);
  if (!link) throw new EngineError('internal', `the bridge ${name} vanished`);
  const ours = !before || before.alias === options.alias;
  const wanted = wantedAddresses(record);
  const present = listAddresses(socket).filter((entry) => entry.index === link.index);
  const text = (entry: LinkAddress): string => `${entry.address}/${entry.prefixLength}`;
  for (const entry of ours ? present : []) {
    // Link-local addresses are the kernel's.
    if (!wanted.includes(text(entry)) && !entry.address.startsWith('fe80:')) removeAddress(socket, entry);
  }
  bridgeSysctls(name, record);
  for (const cidr of wanted) {
    const [address = '', length] = cidr.split('/');
    if (present.some((entry) => text(entry) === cidr)) continue;
    addAddress(socket, { index: link.index, address, prefixLength: Number(length) });
  }
  changeLink(socket, link.index, { up: true, ...(ours && { mtu: options.mtu, alias: options.alias }) });
  return { ...link, up: true, ...(ours && { mtu: options.mtu }) };
}

/** The address of a bridge that somebody else made, in CIDR notation. */
export function foreignBridgeAddress(socket: NetlinkSocket, name: string, alias: string): string | undefined {
  const link = findLink(socket, name);
  if (link?.kind !== 'bridge' || link.alias === alias) return undefined;
  const entry = listAddresses(socket).find(({ index, address }) => index === link.index && isIPv4(address));
  return entry && `${entry.address}/${entry.prefixLength}`;
}

/** route_localnet lets 127.0.0.1 of the host be translated to a container; raw rules keep others out of 127/8. */
function bridgeSysctls(name: string, record: NetworkRecord): void {
  writeSysctl(`net/ipv4/conf/${name}/route_localnet`, '1');
  if (record.enableIPv6) {
    writeSysctl(`net/ipv6/conf/${name}/disable_ipv6`, '0');
    writeSysctl(`net/ipv6/conf/${name}/accept_ra`, '0');
  }
}

/** Removes a bridge of ours if it is there, off the event loop. */
export async function removeBridge(name: string, alias: string): Promise<void> {
  using socket = new NetlinkSocket('route');
  const link = findLink(socket, name);
  if (link?.kind === 'bridge' && link.alias === alias) await deleteLink(socket, link.index);
}
