import type { IPAM, IPAMConfig } from '#api/types';

export interface IpamOptions {
  readonly driver: string;
  readonly subnets: readonly string[];
  readonly ranges: readonly string[];
  readonly gateways: readonly string[];
  readonly auxiliary: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

interface Block {
  readonly bits: number;
  readonly size: number;
  readonly value: bigint;
}

/** Sorts ranges, gateways and addresses into the subnets that hold them. Throws Docker's texts. */
export function makeIpam(options: IpamOptions): IPAM {
  const { subnets, ranges, gateways, auxiliary } = options;
  if (subnets.length < ranges.length || subnets.length < gateways.length) {
    throw new Error('every ip-range or gateway must have a corresponding subnet');
  }
  const blocks = subnets.map((subnet) => ({ subnet, block: parseBlock(subnet) }));
  checkOverlap(blocks);
  const configs = new Map<
    string,
    { Subnet: string; IPRange?: string; Gateway?: string; AuxiliaryAddresses: Record<string, string> }
  >(subnets.map((subnet) => [subnet, { Subnet: subnet, AuxiliaryAddresses: {} }]));
  const holder = (text: string): string | undefined => {
    const address = parseBlock(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`);
    return blocks.find(({ block }) => contains(block, address))?.subnet;
  };
  for (const range of ranges) {
    const config = configs.get(holder(range) ?? '');
    if (!config) throw new Error(`no matching subnet for range ${range}`);
    if (config.IPRange !== undefined) {
      throw new Error(
        `cannot configure multiple ranges (${range}, ${config.IPRange}) on the same subnet (${config.Subnet})`,
      );
    }
    config.IPRange = range;
  }
  for (const gateway of gateways) {
    const config = configs.get(holder(gateway) ?? '');
    if (!config) throw new Error(`no matching subnet for gateway ${gateway}`);
    if (config.Gateway !== undefined) {
      throw new Error(
        `cannot configure multiple gateways (${gateway}, ${config.Gateway}) for the same subnet (${config.Subnet})`,
      );
    }
    config.Gateway = gateway;
  }
  for (const [name, address] of Object.entries(auxiliary)) {
    const config = configs.get(holder(address) ?? '');
    if (!config) throw new Error(`no matching subnet for aux-address ${address}`);
    config.AuxiliaryAddresses[name] = address;
  }
  const list: IPAMConfig[] = [...configs.values()].map(({ AuxiliaryAddresses, ...config }) => ({
    ...config,
    ...(Object.keys(AuxiliaryAddresses).length > 0 && { AuxiliaryAddresses }),
  }));
  return { Driver: options.driver, Options: options.options, Config: list };
}

function checkOverlap(
  blocks: readonly { readonly subnet: string; readonly block: Block | undefined }[],
): void {
  for (const [at, a] of blocks.entries()) {
    for (const b of blocks.slice(at + 1)) {
      if (contains(a.block, b.block) || contains(b.block, a.block)) {
        throw new Error('multiple overlapping subnet configuration is not supported');
      }
    }
  }
}

const contains = (outer: Block | undefined, inner: Block | undefined): boolean =>
  outer !== undefined &&
  inner !== undefined &&
  outer.size === inner.size &&
  outer.bits <= inner.bits &&
  outer.value >> BigInt(outer.size - outer.bits) === inner.value >> BigInt(outer.size - outer.bits);

/** Undefined for what is no CIDR block: the engine says so better. */
function parseBlock(text: string): Block | undefined {
  const [address = '', bits = ''] = text.split('/');
  const size = address.includes(':') ? 128 : 32;
  const value = size === 32 ? parseIPv4(address) : parseIPv6(address);
  if (value === undefined || !/^\d+$/.test(bits) || Number(bits) > size) return undefined;
  return { bits: Number(bits), size, value };
}

function parseIPv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n);
}

function parseIPv6(text: string): bigint | undefined {
  const [head = '', tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = 8 - left.length - right.length;
  if (gap < 0 || (tail === undefined && gap !== 0)) return undefined;
  const groups = [...left, ...Array<string>(gap).fill('0'), ...right];
  if (!groups.every((group) => /^[\da-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((value, group) => value * 65536n + BigInt(`0x${group}`), 0n);
}
