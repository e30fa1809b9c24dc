import { Nftables } from '#linux';

type PortProtocol = 'tcp' | 'udp' | 'sctp';

/** Where connections to a host's port go. Addresses of the same family; `hostIp` undefined: every address. */
export interface PortMapping {
  readonly protocol: PortProtocol;
  readonly hostIp?: string;
  readonly hostPort: number;
  readonly address: string;
  readonly containerPort: number;
}

export interface FirewallBridge {
  readonly name: string;
  readonly internal: boolean;
  /** Its containers reach each other. */
  readonly icc: boolean;
  readonly masquerade: boolean;
  /** CIDRs, IPv4 and IPv6. */
  readonly subnets: readonly string[];
}

/**
 * The packet filter of one instance: one table of our own whose rules never change; bridges and published ports are
 * elements of its sets and maps. Other tables are left alone, so a drop in one of them still drops.
 */
export interface Firewall extends Disposable {
  /** Replaces the whole table by one that has just these, in one transaction. Connections live on. */
  replace(bridges: readonly FirewallBridge[], mappings: readonly PortMapping[]): void;
  addBridge(bridge: FirewallBridge): void;
  removeBridge(bridge: FirewallBridge): void;
  /** All or none. */
  publish(mappings: readonly PortMapping[]): void;
  unpublish(mappings: readonly PortMapping[]): void;
  /** Removes the table. */
  clear(): void;
}

/** For `iptables: false`: nothing is filtered or translated. */
export const noFirewall: Firewall = {
  replace: () => undefined,
  addBridge: () => undefined,
  removeBridge: () => undefined,
  publish: () => undefined,
  unpublish: () => undefined,
  clear: () => undefined,
  [Symbol.dispose]: () => undefined,
};

const isIPv6 = (address: string): boolean => address.includes(':');

/** The map and the element of a mapping, in nft's words. */
function element(mapping: PortMapping): { map: string; key: string; value: string } {
  const family = isIPv6(mapping.address) ? '6' : '4';
  const at = mapping.hostIp === undefined ? '' : 'at';
  const host = mapping.hostIp === undefined ? '' : ` . ${mapping.hostIp}`;
  return {
    map: `published${family}${at}`,
    key: `${mapping.protocol}${host} . ${mapping.hostPort}`,
    value: `${mapping.address} . ${mapping.containerPort}`,
  };
}

/** The sets a bridge is in, with its element there. */
function memberships(bridge: FirewallBridge): readonly (readonly [set: string, element: string])[] {
  const name = `"${bridge.name}"`;
  return [
    ['bridges', name],
    ...bridge.subnets.map(
      (subnet) => [`within${isIPv6(subnet) ? '6' : '4'}`, `${subnet} . ${name}`] as const,
    ),
    ...(bridge.icc ? [['icc', `${name} . ${name}`] as const] : []),
    ...(bridge.internal ? [['internal', name] as const] : []),
    ...(bridge.masquerade && !bridge.internal ? [['masqueraded', name] as const] : []),
  ];
}

/**
 * The static part. Priorities: raw comes before conntrack, where a forged loopback address must be dropped before
 * destination NAT makes it look innocent; the others are the usual ones of NAT and filter. A packet that comes back to
 * its own bridge is known by its source, since with br_netfilter it has no incoming link in postrouting.
 */
function tableText(table: string): string {
  return `
table inet ${table} {
  set bridges { type ifname; }
  set within4 { type ipv4_addr . ifname; flags interval; }
  set within6 { type ipv6_addr . ifname; flags interval; }
  set icc { type ifname . ifname; }
  set internal { type ifname; }
  set masqueraded { type ifname; }
  map published4 { type inet_proto . inet_service : ipv4_addr . inet_service; }
  map published4at { type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service; }
  map published6 { type inet_proto . inet_service : ipv6_addr . inet_service; }
  map published6at { type inet_proto . ipv6_addr . inet_service : ipv6_addr . inet_service; }
  chain raw {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip saddr 127.0.0.0/8 drop
    iifname != "lo" ip daddr 127.0.0.0/8 drop
  }
  chain published {
    ip6 daddr ::1 return
    dnat ip to meta l4proto . ip daddr . th dport map @published4at
    dnat ip to meta l4proto . th dport map @published4
    dnat ip6 to meta l4proto . ip6 daddr . th dport map @published6at
    dnat ip6 to meta l4proto . th dport map @published6
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local jump published
  }
  chain output {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump published
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname @bridges ip saddr 127.0.0.0/8 masquerade
    ct status dnat ip saddr . oifname @within4 masquerade
    ct status dnat ip6 saddr . oifname @within6 masquerade
    iifname @masqueraded oifname != @bridges masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    oifname @bridges ct state established,related accept
    oifname @bridges ct status dnat accept
    iifname . oifname @icc accept
    oifname @bridges drop
    iifname @internal drop
  }
}
`;
}

/**
 * Keeps what should be in the table, so that it can be made again when somebody flushed it (`nft flush ruleset`, a
 * firewall's restart).
 */
export class NftablesFirewall implements Firewall {
  readonly #table: string;
  readonly #nft = new Nftables();
  readonly #bridges = new Map<string, FirewallBridge>();
  readonly #mappings = new Map<string, PortMapping>();

  constructor(table: string) {
    this.#table = table;
  }

  replace(bridges: readonly FirewallBridge[], mappings: readonly PortMapping[]): void {
    this.#bridges.clear();
    this.#mappings.clear();
    for (const bridge of bridges) this.#bridges.set(bridge.name, bridge);
    for (const mapping of mappings) this.#mappings.set(mappingKey(mapping), mapping);
    this.#rebuild();
  }

  addBridge(bridge: FirewallBridge): void {
    this.#bridges.set(bridge.name, bridge);
    this.#apply(this.#bridgeCommands('add', bridge), () => this.#bridges.delete(bridge.name));
  }

  removeBridge(bridge: FirewallBridge): void {
    this.#bridges.delete(bridge.name);
    this.#apply(this.#bridgeCommands('delete', bridge), () => undefined);
  }

  publish(mappings: readonly PortMapping[]): void {
    for (const mapping of mappings) this.#mappings.set(mappingKey(mapping), mapping);
    this.#apply(this.#portCommands('add', mappings), () => this.#forget(mappings));
  }

  unpublish(mappings: readonly PortMapping[]): void {
    this.#forget(mappings);
    this.#apply(this.#portCommands('delete', mappings), () => undefined);
  }

  clear(): void {
    this.#nft.run(`add table inet ${this.#table}\ndelete table inet ${this.#table}`);
  }

  [Symbol.dispose](): void {
    this.#nft[Symbol.dispose]();
  }

  /** Makes a small change; where the table is not what it should be, makes the table again instead. */
  #apply(commands: readonly string[], undo: () => void): void {
    if (commands.length === 0) return;
    try {
      this.#nft.run(commands.join('\n'));
    } catch {
      try {
        this.#rebuild();
      } catch (error) {
        undo();
        throw error;
      }
    }
  }

  #rebuild(): void {
    const commands = [
      `add table inet ${this.#table}`,
      `delete table inet ${this.#table}`,
      tableText(this.#table),
    ];
    for (const bridge of this.#bridges.values()) commands.push(...this.#bridgeCommands('add', bridge));
    commands.push(...this.#portCommands('add', [...this.#mappings.values()]));
    this.#nft.run(commands.join('\n'));
  }

  #forget(mappings: readonly PortMapping[]): void {
    for (const mapping of mappings) this.#mappings.delete(mappingKey(mapping));
  }

  #bridgeCommands(verb: 'add' | 'delete', bridge: FirewallBridge): string[] {
    return memberships(bridge).map(
      ([set, member]) => `${verb} element inet ${this.#table} ${set} { ${member} }`,
    );
  }

  #portCommands(verb: 'add' | 'delete', mappings: readonly PortMapping[]): string[] {
    return mappings.map((mapping) => {
      const { map, key, value } = element(mapping);
      return `${verb} element inet ${this.#table} ${map} { ${key} : ${value} }`;
    });
  }
}

const mappingKey = (mapping: PortMapping): string => {
  const { map, key } = element(mapping);
  return `${map} ${key}`;
};
