import { closeSync } from 'node:fs';
import {
  addAddress,
  changeLink,
  createVeth,
  deleteLink,
  findLink,
  NetlinkSocket,
  openNetns,
  readSysctl,
  replaceDefaultRoute,
  runInNetns,
  writeSysctl,
} from '#linux';
import { errnoOf, internal, invalidArgument, messageOf } from '#kernel';
import { endpointSysctls, linkLocalAddresses } from './endpoint-spec.ts';
import type { Endpoint, EndpointSpec } from './networks.ts';

/** Lets other work run between two steps that each take up to a millisecond. */
export const breathe = async (): Promise<void> => {
  await new Promise<void>((resolve) => setImmediate(resolve));
};

/** Name of the host's end; it goes with the namespace. */
export const vethName = (endpointId: string): string => `veth${endpointId.slice(0, 7)}`;

/** A netlink socket within a namespace, for as long as it is needed. */
export class NetnsLinks implements Disposable {
  readonly #fd: number;
  readonly #socket: NetlinkSocket;

  constructor(path: string) {
    this.#fd = openNetns(path);
    try {
      this.#socket = runInNetns(this.#fd, () => new NetlinkSocket('route'));
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  get fd(): number {
    return this.#fd;
  }

  loopbackUp(): void {
    changeLink(this.#socket, 1, { up: true });
  }

  /** Addresses the container's end, sets its kernel parameters and brings it up. */
  configure(endpoint: Endpoint, spec: EndpointSpec): void {
    const { interfaceName: name, ipv4, ipv6 } = endpoint;
    const linkLocal = linkLocalAddresses(spec);
    const hasIpv6 = ipv6 !== undefined || linkLocal.some(({ address }) => address.includes(':'));
    runInNetns(this.#fd, () => {
      const disabled = `net/ipv6/conf/${name}/disable_ipv6`;
      // Missing where the host has no IPv6, or the MTU is below what IPv6 needs.
      if (readSysctl(disabled) !== undefined) writeSysctl(disabled, hasIpv6 ? '0' : '1');
    });
    const { index } = this.#get(name);
    for (const entry of [ipv4, ipv6, ...linkLocal]) {
      if (entry)
        addAddress(this.#socket, { index, address: entry.address, prefixLength: entry.prefixLength });
    }
    changeLink(this.#socket, index, { up: true });
    const sysctls = endpointSysctls(spec, name);
    if (sysctls.length > 0) runInNetns(this.#fd, () => sysctls.forEach(setSysctl));
  }

  setDefaultRoute(gateway: string, interfaceName: string): void {
    replaceDefaultRoute(this.#socket, gateway, this.#get(interfaceName).index);
  }

  has(interfaceName: string): boolean {
    return findLink(this.#socket, interfaceName) !== undefined;
  }

  /** Deletes the container's end, and with it the host's. */
  async remove(interfaceName: string): Promise<void> {
    const link = findLink(this.#socket, interfaceName);
    if (link) await deleteLink(this.#socket, link.index);
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
    closeSync(this.#fd);
  }

  #get(name: string): { index: number } {
    const link = findLink(this.#socket, name);
    if (!link) throw internal(`the interface ${name} is missing in the container`);
    return link;
  }
}

function setSysctl({ name, value }: { name: string; value: string }): void {
  if (readSysctl(name) === undefined) throw invalidArgument(`/proc/sys/${name} is not a sysctl file`);
  try {
    writeSysctl(name, value);
  } catch (error) {
    const why = errnoOf(error) === 'EINVAL' ? 'invalid argument' : messageOf(error);
    throw invalidArgument(`unable to write to '/proc/sys/${name}': write /proc/sys/${name}: ${why}`, error);
  }
}

interface Bridge {
  readonly index: number;
  readonly mtu: number;
  readonly alias: string;
  /** Cut off from the bridge's other isolated ports (`enable_icc=false`). */
  readonly isolated: boolean;
}

/** Connects a namespace to a bridge, or leaves nothing of the connection. */
export async function attachLink(
  host: NetlinkSocket,
  netns: NetnsLinks,
  endpoint: Endpoint,
  spec: EndpointSpec,
  bridge: Bridge,
): Promise<void> {
  const name = vethName(endpoint.id);
  createVeth(host, {
    name,
    master: bridge.index,
    mtu: bridge.mtu,
    peer: { name: endpoint.interfaceName, macAddress: endpoint.macAddress, netnsFd: netns.fd },
  });
  try {
    await breathe();
    netns.configure(endpoint, spec);
    joinBridge(host, name, bridge);
  } catch (error) {
    // A running container would keep it, with an address that others may be given.
    const link = findLink(host, name);
    if (link) await deleteLink(host, link.index);
    throw error;
  }
}

function joinBridge(host: NetlinkSocket, name: string, bridge: Bridge): void {
  const link = findLink(host, name);
  if (!link) throw internal(`the link ${name} is missing on the host`);
  // Created up, the peer would answer ENOTCONN; hairpin lets a container reach its own published ports.
  changeLink(host, link.index, {
    up: true,
    hairpin: true,
    isolated: bridge.isolated,
    alias: bridge.alias,
  });
}
