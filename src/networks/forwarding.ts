import type { Logger } from '#kernel';
import { listLinks, Nftables, readSysctl, writeSysctl, type NetlinkSocket } from '#linux';

/**
 * Forwarding is the host's, not an instance's, so its guard is shared by all instances and carries no id. It exists
 * only where one of them turned forwarding on: then what the host did not forward before stays unforwarded, unless a
 * bridge (ours, another instance's, a virtual machine's) is at one end.
 */
const guard = 'wharf_forwarding';
const guardText = (families: readonly string[]): string => `
add table inet ${guard}
delete table inet ${guard}
table inet ${guard} {
  chain forward {
    type filter hook forward priority filter; policy accept;
    meta iifkind "bridge" accept
    meta oifkind "bridge" accept
    ${families.map((family) => `meta nfproto ${family} drop`).join('\n    ')}
  }
}
`;

const switches = { ipv4: 'net/ipv4/ip_forward', ipv6: 'net/ipv6/conf/all/forwarding' } as const;

/** Turns on forwarding where a network needs it, and guards what that would open. Leaves it alone where it is on. */
export function enableForwarding(socket: NetlinkSocket, families: { ipv6: boolean }, logger: Logger): void {
  const wanted = families.ipv6 ? (['ipv4', 'ipv6'] as const) : (['ipv4'] as const);
  const off = wanted.filter((family) => readSysctl(switches[family]) === '0');
  if (off.length === 0) return;
  if (off.includes('ipv6')) keepRouterAdvertisements(socket);
  using nft = new Nftables();
  const guarded = guardedFamilies(nft);
  nft.run(guardText([...new Set([...guarded, ...off])]));
  for (const family of off) writeSysctl(switches[family], '1');
  logger.info({ families: off, guard }, 'turned on forwarding, for bridges only');
}

/** A forwarding host ignores router advertisements unless told twice (accept_ra=2), and would lose its default route. */
function keepRouterAdvertisements(socket: NetlinkSocket): void {
  for (const link of listLinks(socket)) {
    const name = `net/ipv6/conf/${link.name}/accept_ra`;
    if (readSysctl(name) === '1') writeSysctl(name, '2');
  }
}

function guardedFamilies(nft: Nftables): string[] {
  if (!tables(nft).includes(guard)) return [];
  const text = JSON.stringify(nft.list(`list table inet ${guard}`));
  return ['ipv4', 'ipv6'].filter((family) => text.includes(`"${family}"`));
}

function tables(nft: Nftables): string[] {
  return nft.list('list tables inet').flatMap((entry) => {
    const table = entry['table'];
    return typeof table === 'object' && table !== null && 'name' in table ? [String(table.name)] : [];
  });
}

/**
 * Turns forwarding off again if an instance had turned it on and nothing on the host can rely on it: no other
 * instance, no bridge of anybody's. Otherwise it stays on, and guarded.
 */
export function relinquishForwarding(socket: NetlinkSocket): void {
  using nft = new Nftables();
  const all = tables(nft);
  if (!all.includes(guard) || all.some((name) => name.startsWith('wharf_') && name !== guard)) return;
  if (listLinks(socket).some((link) => link.kind === 'bridge')) return;
  for (const family of guardedFamilies(nft)) {
    writeSysctl(family === 'ipv4' ? switches.ipv4 : switches.ipv6, '0');
  }
  nft.run(`delete table inet ${guard}`);
}

/** Chains of other programs that drop forwarded packets by policy; ours cannot overrule them. */
export function foreignForwardDrops(): string[] {
  using nft = new Nftables();
  return nft.list('list chains').flatMap((entry) => {
    const chain = entry['chain'];
    if (typeof chain !== 'object' || chain === null || !('hook' in chain) || chain.hook !== 'forward')
      return [];
    const { family, table, name, policy } = chain as Record<string, unknown>;
    return policy === 'drop' ? [`${String(family)} ${String(table)} ${String(name)}`] : [];
  });
}
