import { invalidArgument } from '#kernel';
import type { IpamPool } from '../networks.ts';
import {
  blockOf,
  blockSize,
  contains,
  formatAddress,
  formatBlock,
  overlaps,
  parseCidr,
  type Block,
} from '../ip.ts';
import { poolOverlaps } from '../network-errors.ts';
import { chooseSubnet, defaultAddressPools, uniqueLocalPool, type AddressPool } from './pool-choice.ts';

export interface PoolContext {
  /** Subnets of existing networks: nobody may overlap them. */
  readonly own: readonly Block[];
  /** What the host's links and routes occupy: avoided where we choose. */
  readonly host: readonly Block[];
  readonly pools: readonly AddressPool[] | undefined;
  /** Hex digits that unique local addresses are made from. */
  readonly seed: string;
}

export interface ChosenPools {
  readonly pools: readonly IpamPool[];
  readonly ipamConfig: readonly IpamPool[];
}

/** The gateway is the first address of the range that may be given out, unless one was asked for. */
function withGateway(pool: IpamPool): IpamPool {
  if (pool.gateway !== undefined) return pool;
  const subnet = blockOf(pool.subnet);
  const range = pool.ipRange === undefined ? subnet : blockOf(pool.ipRange);
  for (let value = range.value; value < range.value + blockSize(range); value += 1n) {
    const address = { family: subnet.family, value };
    const isNetworkAddress = value === subnet.value && blockSize(subnet) > 2n;
    if (!isNetworkAddress && contains(subnet, address)) {
      return { ...pool, gateway: formatAddress(address) };
    }
  }
  return pool;
}

/** The requested pools with gateways, and pools chosen for the families that were enabled but not asked for. */
export function choosePools(
  requested: readonly IpamPool[],
  families: { readonly enableIPv4: boolean; readonly enableIPv6: boolean },
  context: PoolContext,
): ChosenPools {
  const taken: Block[] = [...context.own];
  for (const pool of requested) {
    const block = blockOf(pool.subnet);
    if (taken.some((other) => overlaps(block, other))) throw poolOverlaps();
    taken.push(block);
  }
  const chosen: IpamPool[] = [];
  const has = (family: 4 | 6): boolean => requested.some((pool) => blockOf(pool.subnet).family === family);
  const choose = (family: 4 | 6): void => {
    const configured = context.pools ?? defaultAddressPools;
    const pools =
      family === 6 && !configured.some((pool) => pool.base.includes(':'))
        ? [uniqueLocalPool(context.seed)]
        : configured;
    const block = chooseSubnet(family, pools, [...taken, ...context.host]);
    chosen.push(withGateway({ subnet: formatBlock(block) }));
  };
  if (families.enableIPv4 && !has(4)) choose(4);
  if (families.enableIPv6 && !has(6)) choose(6);
  return {
    pools: [...requested.map(withGateway), ...chosen],
    ipamConfig: [...requested, ...chosen],
  };
}

/** Of the default bridge: `--bip` where it is given, else the first free pool. */
export function defaultBridgePools(
  options: { readonly bip?: string; readonly fixedCidr?: string },
  context: PoolContext,
): ChosenPools {
  const range = options.fixedCidr === undefined ? {} : { ipRange: options.fixedCidr };
  if (options.bip === undefined) {
    const chosen = choosePools([], { enableIPv4: true, enableIPv6: false }, context);
    const pools = chosen.pools.map((pool) => ({ ...pool, ...range }));
    return { pools, ipamConfig: pools };
  }
  const parsed = parseCidr(options.bip);
  if (!parsed || parsed.host.family !== 4) throw invalidArgument(`invalid CIDR address: ${options.bip}`);
  const pools = [{ subnet: formatBlock(parsed.block), gateway: formatAddress(parsed.host), ...range }];
  return { pools, ipamConfig: pools };
}
