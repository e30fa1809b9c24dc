import { closeSync } from 'node:fs';
import { conflict, EngineError, errnoOf, internal, messageOf, type Logger } from '#kernel';
import { deleteConntrack, openListener } from '#linux';
import type { Endpoint, PortRequest, PublishedPort } from '../networks.ts';
import type { Firewall, PortMapping } from '../firewall.ts';
import { holderOf } from './port-holder.ts';
import { isFixedPort, PortCandidates, type PortRange } from './port-allocation.ts';
import type { PortRelay } from './port-relay.ts';

/** A listener that reserves a host's port, and answers on it where the packet filter cannot. */
interface Reservation {
  readonly port: PublishedPort;
  readonly mapping: PortMapping | undefined;
  readonly close: () => void;
}

const isIPv6 = (address: string): boolean => address.includes(':');
const anyAddress = (address: string): boolean => address === '0.0.0.0' || address === '::';

/** What a published port leads to. */
export type PortTarget = Pick<Endpoint, 'id' | 'ipv4' | 'ipv6'> & { readonly name: string };

/** The ports of the host that lead to containers. Everything is synchronous: 0.1 ms for a listener, 0.2 for the rules. */
export class PublishedPorts {
  readonly #firewall: Firewall;
  readonly #translates: boolean;
  readonly #relay: PortRelay;
  readonly #logger: Logger;
  readonly #candidates: PortCandidates;
  readonly #bindingIp: string | undefined;
  readonly #byContainer = new Map<string, Reservation[]>();
  readonly #targets = new Map<string, string>();
  readonly #owners = new Map<string, string>();

  constructor(options: {
    firewall: Firewall;
    /** Whether the firewall leads packets to containers; otherwise all ports are relayed. */
    translates: boolean;
    relay: PortRelay;
    logger: Logger;
    range: PortRange;
    bindingIp?: string | undefined;
  }) {
    this.#firewall = options.firewall;
    this.#translates = options.translates;
    this.#relay = options.relay;
    this.#logger = options.logger;
    this.#candidates = new PortCandidates(options.range);
    this.#bindingIp = options.bindingIp;
  }

  /** Every mapping in force, for a firewall that is rebuilt. */
  get mappings(): PortMapping[] {
    return [...this.#byContainer.values()].flat().flatMap((reservation) => reservation.mapping ?? []);
  }

  /**
   * Reserves and leads the requested ports to the target. Throws with Docker's text, and who holds the port, leaving
   * nothing reserved.
   */
  publish(
    containerId: string,
    target: PortTarget,
    requests: readonly PortRequest[],
    bindingIp: string | undefined = this.#bindingIp,
  ): PublishedPort[] {
    const reservations: Reservation[] = [];
    try {
      for (const request of requests) {
        reservations.push(...this.#reserve(target, request, bindingIp));
      }
      this.#firewall.publish(reservations.flatMap((reservation) => reservation.mapping ?? []));
    } catch (error) {
      for (const reservation of reservations) reservation.close();
      const text = `driver failed programming external connectivity on endpoint ${target.name} (${target.id}): ${messageOf(error)}`;
      throw new EngineError('internal', text, { cause: rootOf(error) });
    }
    this.#keep(containerId, target, reservations);
    for (const { mapping } of reservations) this.#forgetFlows(mapping);
    return reservations.map((reservation) => reservation.port);
  }

  /** Takes up ports that were published before a restart; the firewall is rebuilt by the caller. A port lost meanwhile is logged. */
  restore(containerId: string, target: PortTarget, ports: readonly PublishedPort[]): void {
    const reservations = ports.map((port): Reservation => {
      try {
        return this.#open(target, port);
      } catch (error) {
        this.#logger.warn(
          { containerId, port, error: messageOf(error) },
          'cannot reserve a published port again',
        );
        return { port, mapping: this.#mapping(target, port), close: () => undefined };
      }
    });
    this.#keep(containerId, target, reservations);
  }

  /** Id of the endpoint that a container's ports lead to. */
  target(containerId: string): string | undefined {
    return this.#targets.get(containerId);
  }

  /** Gives the container's ports back. Idempotent. */
  unpublish(containerId: string): void {
    const reservations = this.#byContainer.get(containerId);
    if (!reservations) return;
    this.#byContainer.delete(containerId);
    this.#targets.delete(containerId);
    const mappings = reservations.flatMap((reservation) => reservation.mapping ?? []);
    try {
      this.#firewall.unpublish(mappings);
    } catch (error) {
      this.#logger.warn({ containerId, error: messageOf(error) }, 'cannot remove port mappings');
    }
    for (const reservation of reservations) {
      reservation.close();
      this.#forgetFlows(reservation.mapping);
    }
  }

  /** Closes every listener; the mappings stay in force for containers that outlive the daemon. */
  close(): void {
    for (const reservation of [...this.#byContainer.values()].flat()) reservation.close();
    this.#byContainer.clear();
  }

  #keep(containerId: string, target: PortTarget, reservations: Reservation[]): void {
    this.#byContainer.set(containerId, reservations);
    this.#targets.set(containerId, target.id);
  }

  #reserve(target: PortTarget, request: PortRequest, bindingIp: string | undefined): Reservation[] {
    const asked = request.hostIp || bindingIp;
    const addresses = asked ? [asked] : ['0.0.0.0', '::'];
    let failure: unknown;
    for (const hostPort of this.#candidates.of(request)) {
      try {
        return this.#openAll(target, request, addresses, hostPort);
      } catch (error) {
        if (!(error instanceof PortTaken)) throw error;
        failure = error.report;
        if (isFixedPort(request)) break;
      }
    }
    throw failure instanceof Error ? failure : conflict('all ports are allocated');
  }

  #openAll(
    target: PortTarget,
    request: PortRequest,
    addresses: readonly string[],
    hostPort: number,
  ): Reservation[] {
    const { protocol, containerPort } = request;
    const reservations: Reservation[] = [];
    try {
      for (const hostIp of addresses) {
        try {
          reservations.push(this.#open(target, { protocol, containerPort, hostIp, hostPort }));
        } catch (error) {
          // A host without IPv6 publishes on IPv4 alone.
          if (hostIp === '::' && addresses.length > 1 && isWithoutIPv6(error)) continue;
          throw error;
        }
      }
      return reservations;
    } catch (error) {
      for (const reservation of reservations) reservation.close();
      throw error;
    }
  }

  #open(target: PortTarget, port: PublishedPort): Reservation {
    const { protocol, hostIp, hostPort } = port;
    const mapping = this.#mapping(target, port);
    const address = isIPv6(hostIp) ? (target.ipv6 ?? target.ipv4) : (target.ipv4 ?? target.ipv6);
    if (!address) throw internal(`endpoint ${target.name} has no address to publish port ${hostPort} to`);
    const fd = this.#listen(port, address.address);
    const owner = `${protocol}/${hostIp}/${hostPort}`;
    this.#owners.set(owner, target.name);
    // ::1 cannot be translated to another host, so whatever listens on IPv6 also relays.
    const relayed = !mapping || isIPv6(hostIp);
    const stop =
      fd === undefined || protocol === 'sctp' || !relayed
        ? () => fd !== undefined && closeSync(fd)
        : this.#relay.listen(fd, protocol, { address: address.address, port: port.containerPort });
    return {
      port,
      mapping,
      close: () => {
        this.#owners.delete(owner);
        stop();
      },
    };
  }

  /** The listener's descriptor; undefined where the kernel cannot listen on SCTP, but can still translate it. */
  #listen(port: PublishedPort, address: string): number | undefined {
    try {
      return openListener(port.protocol, port.hostIp, port.hostPort).fd;
    } catch (error) {
      if (port.protocol === 'sctp' && errnoOf(error) === 'EPROTONOSUPPORT') return undefined;
      throw this.#bindFailure(error, port, address);
    }
  }

  #mapping(target: PortTarget, port: PublishedPort): PortMapping | undefined {
    const address = isIPv6(port.hostIp) ? target.ipv6?.address : target.ipv4?.address;
    if (!this.#translates || address === undefined) return undefined;
    const { protocol, hostPort, containerPort, hostIp } = port;
    return { protocol, hostPort, containerPort, address, ...(!anyAddress(hostIp) && { hostIp }) };
  }

  #bindFailure(error: unknown, port: PublishedPort, address: string): unknown {
    const { protocol, hostIp, hostPort, containerPort } = port;
    const where = isIPv6(hostIp) ? `[${hostIp}]` : hostIp;
    const to = isIPv6(address) ? `[${address}]` : address;
    const reason = messageOf(error).replace(/^.*: /s, '');
    const text = `failed to bind host port for ${where}:${hostPort}:${to}:${containerPort}/${protocol}: ${reason}`;
    if (errnoOf(error) !== 'EADDRINUSE') return new EngineError('internal', text, { cause: error });
    const other = this.#ownerOf(port);
    if (other !== undefined) {
      const held = `Bind for ${where}:${hostPort} failed: port is already allocated (by container ${other})`;
      return new PortTaken(conflict(held, error));
    }
    const holder = holderOf(protocol, hostPort);
    const who = holder ? `: port ${hostPort} is held by ${holder.name} (pid ${holder.pid})` : '';
    return new PortTaken(conflict(text + who, error));
  }

  /** Name of the container of ours that holds the port on that address, on every address, or on any where every one is asked for. */
  #ownerOf({ protocol, hostIp, hostPort }: PublishedPort): string | undefined {
    for (const [key, name] of this.#owners) {
      const [otherProtocol, otherIp = '', otherPort] = key.split('/');
      if (otherProtocol !== protocol || Number(otherPort) !== hostPort) continue;
      if (otherIp === hostIp || anyAddress(otherIp) || anyAddress(hostIp)) return name;
    }
    return undefined;
  }

  /** Established UDP flows keep following the mapping they began with, so they are forgotten whenever one changes. */
  #forgetFlows(mapping: PortMapping | undefined): void {
    if (mapping?.protocol !== 'udp') return;
    try {
      deleteConntrack({
        family: isIPv6(mapping.address) ? 6 : 4,
        protocol: 17,
        destinationPort: mapping.hostPort,
      });
    } catch (error) {
      this.#logger.warn({ port: mapping.hostPort, error: messageOf(error) }, 'cannot flush UDP flows');
    }
  }
}

class PortTaken extends Error {
  readonly report: EngineError;

  constructor(report: EngineError) {
    super(report.message);
    this.report = report;
  }
}

function isWithoutIPv6(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return ['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(errnoOf(cause) ?? '');
}

/** What is behind an error whose text the next one repeats: logs would show it twice. */
const rootOf = (error: unknown): unknown =>
  error instanceof EngineError && error.cause !== undefined ? error.cause : error;
