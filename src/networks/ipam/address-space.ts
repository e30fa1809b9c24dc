import { EngineError, internal } from '#kernel';
import type { IpamPool } from '../networks.ts';
import { blockOf, blockSize, contains, formatAddress, parseAddress, type Block } from '../ip.ts';

/** Docker's text for an address that an endpoint, the gateway or the configuration holds. */
const addressInUse = (): EngineError => new EngineError('permissionDenied', 'Address already in use');

/**
 * Gives out the addresses of one subnet, the lowest free one first, as Docker does. In memory: the endpoints' records
 * are what persists, and refill it at start.
 */
export class AddressSpace {
  readonly subnet: Block;
  readonly #range: Block;
  readonly #taken = new Set<bigint>();

  /** Throws `internal` when the gateway or an auxiliary address of the pool cannot be had. */
  constructor(pool: IpamPool) {
    this.subnet = blockOf(pool.subnet);
    this.#range = pool.ipRange === undefined ? this.subnet : blockOf(pool.ipRange);
    this.#taken.add(this.subnet.value);
    const last = this.subnet.value + blockSize(this.subnet) - 1n;
    if (this.subnet.family === 4 && blockSize(this.subnet) > 2n) this.#taken.add(last);
    if (pool.gateway !== undefined) this.#configure(pool.gateway, `gateway (${pool.gateway})`);
    for (const [name, address] of Object.entries(pool.auxAddresses ?? {})) {
      this.#configure(address, `secondary ip address (${name}:${address})`);
    }
  }

  contains(text: string): boolean {
    const address = parseAddress(text);
    return address !== undefined && contains(this.subnet, address);
  }

  /** The lowest free address of the range, or undefined when it is full. */
  allocate(): string | undefined {
    const end = this.#range.value + blockSize(this.#range);
    for (let value = this.#range.value; value < end; value += 1n) {
      if (this.#taken.has(value)) continue;
      this.#taken.add(value);
      return formatAddress({ family: this.subnet.family, value });
    }
    return undefined;
  }

  /** Takes that address. Throws permissionDenied `Address already in use`. */
  reserve(text: string): void {
    const address = parseAddress(text);
    if (!address || this.#taken.has(address.value)) throw addressInUse();
    this.#taken.add(address.value);
  }

  release(text: string): void {
    const address = parseAddress(text);
    if (address) this.#taken.delete(address.value);
  }

  #configure(address: string, what: string): void {
    try {
      this.reserve(address);
    } catch (error) {
      throw internal(`failed to allocate ${what}: Address already in use`, error);
    }
  }
}
