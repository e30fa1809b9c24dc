import { internal, invalidArgument, messageOf, newId } from '#kernel';
import { findLink, type Link, type NetlinkSocket } from '#linux';
import type { EndpointSpec, IpamPool, NetworkRecord, NetworkSpec } from './networks.ts';
import {
  defaultRouteMtu,
  ensureBridge,
  foreignBridgeAddress,
  hostBlocks,
  removeBridge,
} from './bridge-link.ts';
import type { Firewall, FirewallBridge } from './firewall.ts';
import { enableForwarding } from './forwarding.ts';
import { AddressSpace } from './ipam/address-space.ts';
import { choosePools, defaultBridgePools } from './ipam/network-pools.ts';
import { blockOf } from './ip.ts';
import { forbidden, networkExists, noSuchNetwork } from './network-errors.ts';
import { bridgeOptions, isPredefined, loadNetworks, saveNetwork } from './network-record.ts';
import { defaultBridgeOptions, predefinedRecord } from './predefined.ts';
import { validateNetworkSpec } from './network-spec.ts';
import { defaultBridgeName, linkAlias, type NetworksOptions } from './networks-options.ts';

/** Addresses of an endpoint, with the prefix length and the gateway of their subnet. */
export interface Lease {
  readonly ipv4?: { readonly address: string; readonly prefixLength: number; readonly gateway?: string };
  readonly ipv6?: { readonly address: string; readonly prefixLength: number; readonly gateway?: string };
}

interface Network {
  readonly record: NetworkRecord;
  readonly spaces: readonly { readonly pool: IpamPool; readonly space: AddressSpace }[];
}

/** The networks that exist, their bridges, and who has which address. All of it synchronous. */
export class NetworkRegistry {
  readonly #options: NetworksOptions;
  readonly #socket: NetlinkSocket;
  readonly #firewall: Firewall;
  readonly #networks = new Map<string, Network>();

  constructor(options: NetworksOptions, socket: NetlinkSocket, firewall: Firewall) {
    this.#options = options;
    this.#socket = socket;
    this.#firewall = firewall;
  }

  /** Reads the records, makes the predefined networks where they are missing, and every bridge. */
  start(): void {
    for (const record of loadNetworks(this.#options.db)) this.#keep(record);
    for (const name of ['none', 'host', 'bridge'] as const) {
      this.#addPredefined(
        name,
        this.list().find((record) => record.name === name),
      );
    }
    for (const record of this.list()) {
      if (record.driver === 'bridge') this.#restoreBridge(record);
    }
  }

  get bridges(): FirewallBridge[] {
    return this.list().flatMap((record) => (record.driver === 'bridge' ? [firewallBridge(record)] : []));
  }

  list(): NetworkRecord[] {
    return [...this.#networks.values()].map(({ record }) => record);
  }

  find(idOrName: string): NetworkRecord | undefined {
    if (idOrName === '') return undefined;
    const exact = this.#networks.get(idOrName)?.record;
    const records = this.list();
    const named = exact ?? records.find((record) => record.name === idOrName);
    if (named) return named;
    const matches = records.filter((record) => record.id.startsWith(idOrName));
    if (matches.length > 1) {
      throw invalidArgument(
        `network ${idOrName} is ambiguous (${matches.length} matches found on ID prefix)`,
      );
    }
    return matches[0];
  }

  get(idOrName: string): NetworkRecord {
    const record = this.find(idOrName);
    if (!record) throw noSuchNetwork(idOrName);
    return record;
  }

  async create(spec: NetworkSpec): Promise<NetworkRecord> {
    validateNetworkSpec(spec);
    if (this.list().some((record) => record.name === spec.name)) throw networkExists(spec.name);
    const id = newId();
    const options = spec.options ?? {};
    this.#refuseSameBridge(id, options);
    const enableIPv4 = spec.enableIPv4 ?? true;
    const enableIPv6 = spec.enableIPv6 ?? false;
    const requested = spec.ipam?.pools ?? [];
    const pools = choosePools(requested, { enableIPv4, enableIPv6 }, this.#poolContext());
    const record: NetworkRecord = {
      id,
      name: spec.name,
      driver: 'bridge',
      internal: spec.internal ?? false,
      attachable: spec.attachable ?? false,
      enableIPv4,
      enableIPv6,
      ipamDriver: 'default',
      ipamOptions: spec.ipam?.options ?? {},
      ...pools,
      requestedSubnets: requested.map((pool) => pool.subnet),
      options,
      labels: spec.labels ?? {},
      createdAt: this.#options.clock.now(),
    };
    try {
      this.#add(record);
    } catch (error) {
      await this.#undo(record);
      throw error;
    }
    return record;
  }

  /** The caller has made sure that no endpoint is left. */
  async remove(record: NetworkRecord): Promise<void> {
    if (isPredefined(record.name)) {
      throw forbidden(`${record.name} is a pre-defined network and cannot be removed`);
    }
    const bridge = firewallBridge(record);
    this.#options.db.run('DELETE FROM networks WHERE id = ?', record.id);
    this.#networks.delete(record.id);
    this.#firewall.removeBridge(bridge);
    await removeBridge(bridge.name, linkAlias(this.#options.instance));
  }

  /** Link index and MTU of the network's bridge, which is made again if somebody removed it. */
  bridge(record: NetworkRecord): { index: number; mtu: number } {
    const link = findLink(this.#socket, bridgeOptions(record).name);
    return link?.up ? link : this.#makeBridge(record);
  }

  /** Gives an endpoint its addresses. Throws permissionDenied when one is taken, internal when the pools are empty. */
  lease(record: NetworkRecord, spec: Pick<EndpointSpec, 'ipv4' | 'ipv6'>): Lease {
    const ipv4 = record.enableIPv4 ? this.#allocate(record, 4, spec.ipv4) : undefined;
    try {
      const ipv6 = record.enableIPv6 ? this.#allocate(record, 6, spec.ipv6) : undefined;
      return { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) };
    } catch (error) {
      if (ipv4) this.release(record.id, { ipv4 });
      throw error;
    }
  }

  release(networkId: string, lease: Lease): void {
    for (const address of [lease.ipv4?.address, lease.ipv6?.address]) {
      if (address === undefined) continue;
      for (const { space } of this.#networks.get(networkId)?.spaces ?? []) {
        if (space.contains(address)) space.release(address);
      }
    }
  }

  /** Takes the addresses that an endpoint has already, at start. */
  reserve(networkId: string, lease: Lease): void {
    for (const address of [lease.ipv4?.address, lease.ipv6?.address]) {
      if (address === undefined) continue;
      for (const { space } of this.#networks.get(networkId)?.spaces ?? []) {
        if (space.contains(address)) space.reserve(address);
      }
    }
  }

  #allocate(record: NetworkRecord, family: 4 | 6, requested?: string): Lease['ipv4'] {
    const spaces = (this.#networks.get(record.id)?.spaces ?? []).filter(
      ({ space }) => space.subnet.family === family,
    );
    for (const { pool, space } of spaces) {
      if (requested !== undefined && requested !== '') {
        if (!space.contains(requested)) continue;
        space.reserve(requested);
        return placed(requested, pool, space);
      }
      const address = space.allocate();
      if (address !== undefined) return placed(address, pool, space);
    }
    throw internal(
      `no available IPv${family} addresses on this network's address pools: ${record.name} (${record.id})`,
    );
  }

  /** The default bridge is as the daemon's options say now; its id and, where they say nothing, its subnet stay. */
  #addPredefined(name: 'bridge' | 'host' | 'none', before: NetworkRecord | undefined): void {
    if (name !== 'bridge') {
      if (!before) this.#add(predefinedRecord(name, this.#options.clock.now(), {}));
      return;
    }
    if (before) this.#networks.delete(before.id);
    const { fixedCidr } = this.#options;
    const alias = linkAlias(this.#options.instance);
    const bip =
      this.#options.bip ?? foreignBridgeAddress(this.#socket, defaultBridgeName(this.#options), alias);
    const chosen =
      before && bip === undefined && fixedCidr === undefined
        ? { pools: before.pools, ipamConfig: before.ipamConfig }
        : defaultBridgePools(
            { ...(bip !== undefined && { bip }), ...(fixedCidr !== undefined && { fixedCidr }) },
            this.#poolContext(),
          );
    const mtu = this.#options.mtu ?? defaultRouteMtu(this.#socket);
    const { id, createdAt } = before ?? { id: newId(), createdAt: this.#options.clock.now() };
    const options = defaultBridgeOptions(this.#options, mtu);
    this.#add(predefinedRecord(name, createdAt, { id, options, ...chosen }));
  }

  /** A network that cannot be made again is no reason not to start, unless it is the default one. */
  #restoreBridge(record: NetworkRecord): void {
    try {
      this.#makeBridge(record);
    } catch (error) {
      if (isPredefined(record.name)) throw error;
      this.#options.logger.error(
        { network: record.name, error: messageOf(error) },
        'cannot restore a network',
      );
    }
  }

  #add(record: NetworkRecord): void {
    this.#keep(record);
    saveNetwork(this.#options.db, record);
    // start() makes the bridges and rules of the predefined networks.
    if (record.driver !== 'bridge' || isPredefined(record.name)) return;
    this.#makeBridge(record);
    this.#firewall.addBridge(firewallBridge(record));
  }

  async #undo(record: NetworkRecord): Promise<void> {
    this.#options.db.run('DELETE FROM networks WHERE id = ?', record.id);
    this.#networks.delete(record.id);
    await removeBridge(bridgeOptions(record).name, linkAlias(this.#options.instance));
  }

  #keep(record: NetworkRecord): void {
    const spaces = record.pools.map((pool) => ({ pool, space: new AddressSpace(pool) }));
    this.#networks.set(record.id, { record, spaces });
  }

  #makeBridge(record: NetworkRecord): Link {
    if (this.#options.ipForward !== false) {
      enableForwarding(this.#socket, { ipv6: record.enableIPv6 }, this.#options.logger);
    }
    const alias = linkAlias(this.#options.instance);
    return ensureBridge(this.#socket, record, { mtu: this.#mtu(record), alias });
  }

  #mtu(record: NetworkRecord): number {
    return bridgeOptions(record).mtu ?? this.#options.mtu ?? defaultRouteMtu(this.#socket);
  }

  #poolContext(): Parameters<typeof choosePools>[2] {
    const own = this.list().flatMap((record) => record.pools.map((pool) => blockOf(pool.subnet)));
    return { own, host: hostBlocks(this.#socket), pools: this.#options.defaultAddressPools, seed: newId() };
  }

  #refuseSameBridge(id: string, options: Readonly<Record<string, string>>): void {
    const { name } = bridgeOptions({ id, options });
    const other = this.list().find(
      (record) => record.driver === 'bridge' && bridgeOptions(record).name === name,
    );
    if (other) {
      throw forbidden(
        `cannot create network ${id} (${name}): conflicts with network ${other.id} (${name}): networks have same bridge name`,
      );
    }
  }
}

const placed = (address: string, pool: IpamPool, space: AddressSpace): NonNullable<Lease['ipv4']> => ({
  address,
  prefixLength: space.subnet.prefixLength,
  ...(pool.gateway !== undefined && { gateway: pool.gateway }),
});

const firewallBridge = (record: NetworkRecord): FirewallBridge => {
  const { name, icc, masquerade } = bridgeOptions(record);
  return {
    name,
    icc,
    masquerade,
    internal: record.internal,
    subnets: record.pools.map((pool) => pool.subnet),
  };
};
