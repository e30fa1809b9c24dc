import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

type Family = 4 | 6;

/** An address as a number, for arithmetic. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** A block of addresses; `value` has no bits beyond the prefix. */
export interface Block {
  readonly family: Family;
  readonly value: bigint;
  readonly prefixLength: number;
}

const width = (family: Family): number => (family === 4 ? 32 : 128);

/** Parses the strict forms only (four decimal parts, or RFC 4291); undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  // isIPv6 admits a zone, which has no meaning in a network's configuration.
  const family = isIPv4(text) ? 4 : isIPv6(text) && !text.includes('%') ? 6 : undefined;
  if (family === undefined) return undefined;
  const value = ipaddr
    .parse(text)
    .toByteArray()
    .reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return { family, value };
}

export function formatAddress({ family, value }: Address): string {
  const bytes: number[] = [];
  for (let shift = width(family) - 8; shift >= 0; shift -= 8)
    bytes.push(Number((value >> BigInt(shift)) & 0xffn));
  return ipaddr.fromByteArray(bytes).toString();
}

/** Parses CIDR notation; the result keeps bits beyond the prefix in `host`. Undefined for anything else. */
export function parseCidr(text: string): { block: Block; host: Address } | undefined {
  const match = /^(.+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const host = match?.[1] === undefined ? undefined : parseAddress(match[1]);
  const prefixLength = Number(match?.[2]);
  if (!host || prefixLength > width(host.family)) return undefined;
  const shift = BigInt(width(host.family) - prefixLength);
  return { host, block: { family: host.family, value: (host.value >> shift) << shift, prefixLength } };
}

/** Parses a CIDR that is known to be good, since we wrote it ourselves. Throws RangeError otherwise. */
export function blockOf(text: string): Block {
  const parsed = parseCidr(text);
  if (!parsed) throw new RangeError(`no CIDR: ${text}`);
  return parsed.block;
}

export const formatBlock = (block: Block): string => `${formatAddress(block)}/${block.prefixLength}`;

/** Number of addresses in the block. */
export const blockSize = (block: Block): bigint => 1n << BigInt(width(block.family) - block.prefixLength);

export const contains = (block: Block, address: Address): boolean =>
  block.family === address.family &&
  address.value >= block.value &&
  address.value < block.value + blockSize(block);

export const overlaps = (a: Block, b: Block): boolean =>
  a.family === b.family && a.value < b.value + blockSize(b) && b.value < a.value + blockSize(a);
