import type { Endpoint } from '../networks.ts';
import { parseAddress } from '../ip.ts';

/** An address a name stands for. */
export interface NameAddresses {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** The names and addresses of all endpoints, by network. Names are matched without regard to case (RFC 4343). */
export class NetworkNames {
  readonly #networks = new Map<string, Map<string, Endpoint>>();

  /** Adds a container's endpoint, or replaces it. */
  set(endpoint: Endpoint): void {
    const endpoints = this.#networks.get(endpoint.networkId) ?? new Map<string, Endpoint>();
    endpoints.set(endpoint.containerId, endpoint);
    this.#networks.set(endpoint.networkId, endpoints);
  }

  delete(networkId: string, containerId: string): void {
    const endpoints = this.#networks.get(networkId);
    endpoints?.delete(containerId);
    if (endpoints?.size === 0) this.#networks.delete(networkId);
  }

  /**
   * What a name means on these networks, in their order: the first on which it is known decides. `name.network` is
   * understood as well. Undefined if nobody has the name.
   */
  resolve(name: string, networkIds: readonly string[]): NameAddresses | undefined {
    const wanted = name.toLowerCase();
    for (const id of networkIds) {
      const found = [...(this.#networks.get(id)?.values() ?? [])].filter((endpoint) =>
        endpoint.dnsNames.some((candidate) => {
          const own = candidate.toLowerCase();
          return own === wanted || `${own}.${endpoint.networkName.toLowerCase()}` === wanted;
        }),
      );
      if (found.length === 0) continue;
      return {
        ipv4: found.flatMap((endpoint) => endpoint.ipv4?.address ?? []),
        ipv6: found.flatMap((endpoint) => endpoint.ipv6?.address ?? []),
      };
    }
    return undefined;
  }

  /** The name of a reverse query (`4.0.17.172.in-addr.arpa`) as `container.network`, or undefined. */
  reverse(question: string, networkIds: readonly string[]): string | undefined {
    const address = reverseAddress(question);
    if (address === undefined) return undefined;
    for (const id of networkIds) {
      for (const endpoint of this.#networks.get(id)?.values() ?? []) {
        const name = endpoint.dnsNames[0];
        const own = [endpoint.ipv4?.address, endpoint.ipv6?.address];
        if (
          name !== undefined &&
          own.some((text) => text !== undefined && parseAddress(text)?.value === address)
        ) {
          return `${name}.${endpoint.networkName}`;
        }
      }
    }
    return undefined;
  }
}

function reverseAddress(question: string): bigint | undefined {
  const name = question.toLowerCase();
  if (name.endsWith('.in-addr.arpa')) {
    return parseAddress(name.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.'))?.value;
  }
  const digits = /^([0-9a-f](?:\.[0-9a-f]){31})\.ip6\.arpa$/.exec(name)?.[1];
  return digits === undefined ? undefined : BigInt(`0x${digits.split('.').reverse().join('')}`);
}
