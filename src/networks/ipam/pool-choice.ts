import { EngineError } from '#kernel';
import { blockOf, blockSize, formatAddress, overlaps, type Block } from '../ip.ts';

/** A range to cut subnets from: `size` is the prefix length of each. */
export interface AddressPool {
  readonly base: string;
  readonly size: number;
}

/** Docker's own: 172.17.0.0/16 for the default bridge, then the rest of 172.16/12, then twentieths of 192.168/16. */
export const defaultAddressPools: readonly AddressPool[] = [
  { base: '172.17.0.0/16', size: 16 },
  { base: '172.18.0.0/16', size: 16 },
  { base: '172.19.0.0/16', size: 16 },
  { base: '172.20.0.0/14', size: 16 },
  { base: '172.24.0.0/14', size: 16 },
  { base: '172.28.0.0/14', size: 16 },
  { base: '192.168.0.0/16', size: 20 },
];

/** The first subnet of the pools that overlaps none of `taken`. Throws `invalidArgument` when all are. */
export function chooseSubnet(family: 4 | 6, pools: readonly AddressPool[], taken: readonly Block[]): Block {
  for (const pool of pools) {
    const base = blockOf(pool.base);
    if (base.family !== family) continue;
    const end = base.value + blockSize(base);
    let candidate: Block = { family, value: base.value, prefixLength: pool.size };
    while (candidate.value < end) {
      const obstacle = taken.find((block) => overlaps(block, candidate));
      if (!obstacle) return candidate;
      const step = blockSize(candidate);
      // Past the obstacle, on the next boundary: a taken /8 must not cost 65536 steps.
      const past = obstacle.value + blockSize(obstacle);
      const next = ((past + step - 1n) / step) * step;
      candidate = { ...candidate, value: next > candidate.value ? next : candidate.value + step };
    }
  }
  throw new EngineError('invalidArgument', 'all predefined address pools have been fully subnetted');
}

/** A /64 of the unique local addresses (RFC 4193), its global id taken from `seed` (hex, at least 10 digits). */
export function uniqueLocalPool(seed: string): AddressPool {
  const value = (0xfdn << 120n) | (BigInt(`0x${seed.slice(0, 10)}`) << 80n);
  return { base: `${formatAddress({ family: 6, value })}/48`, size: 64 };
}
