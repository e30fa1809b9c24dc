import ipaddr from 'ipaddr.js';
import { ArgumentError } from '../eval/scope.ts';
import { isInteger, toInteger } from '../values/decimal.ts';
import type { Value } from '../values/value.ts';
import { decimalOf, listValue, stringType, stringValue, textOf } from '../values/value.ts';
import type { Functions } from './define.ts';
import { define, number, text, variadic, wholeNumber } from './define.ts';

interface Network {
  readonly address: bigint;
  readonly prefix: number;
  /** Of an address: 32 or 128. */
  readonly bits: number;
}

function parseNetwork(value: Value): Network {
  const given = textOf(value);
  try {
    const [address, prefix] = ipaddr.parseCIDR(given);
    const bytes = address.toByteArray();
    const bits = bytes.length * 8;
    const whole = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
    return { address: (whole >> BigInt(bits - prefix)) << BigInt(bits - prefix), prefix, bits };
  } catch {
    throw new ArgumentError(0, `invalid CIDR expression: invalid CIDR address: ${given}`);
  }
}

function formatAddress(address: bigint, bits: number): string {
  const bytes = Buffer.from(address.toString(16).padStart(bits / 4, '0'), 'hex');
  const parsed = ipaddr.fromByteArray([...bytes]);
  return parsed.kind() === 'ipv6' ? (parsed as ipaddr.IPv6).toRFC5952String() : parsed.toString();
}

const formatNetwork = ({ address, prefix, bits }: Network): string =>
  `${formatAddress(address, bits)}/${prefix}`;

/** A number as it may be larger than JavaScript's. */
function bigNumber(value: Value, index: number): bigint {
  const number = decimalOf(value);
  if (!isInteger(number)) throw new ArgumentError(index, 'value must be a whole number');
  return toInteger(number);
}

const host = define([text('prefix'), number('hostnum')], (prefix, hostValue) => {
  const network = parseNetwork(prefix);
  const wanted = bigNumber(hostValue, 1);
  const room = 1n << BigInt(network.bits - network.prefix);
  if (wanted >= room || -wanted > room) {
    throw new Error(`prefix of ${network.prefix} does not accommodate a host numbered ${wanted}`);
  }
  return stringValue(formatAddress(network.address + (wanted < 0n ? room + wanted : wanted), network.bits));
});

const netmask = define([text('prefix')], (prefix) => {
  const network = parseNetwork(prefix);
  if (network.bits !== 32)
    throw new ArgumentError(0, 'IPv6 addresses cannot have a netmask: IPv4 prefix required');
  const mask = ((1n << BigInt(network.prefix)) - 1n) << BigInt(32 - network.prefix);
  return stringValue(formatAddress(mask, 32));
});

function lengthened(network: Network, newbits: number): number {
  const prefix = network.prefix + newbits;
  if (newbits < 0 || prefix > network.bits) {
    throw new Error(
      `not enough remaining address space for a subnet with a prefix of ${prefix} bits after ${formatNetwork(network)}`,
    );
  }
  return prefix;
}

const subnet = define(
  [text('prefix'), number('newbits'), number('netnum')],
  (prefixValue, newbitsValue, numberValue) => {
    const network = parseNetwork(prefixValue);
    const newbits = wholeNumber(newbitsValue, 1);
    const wanted = bigNumber(numberValue, 2);
    if (network.prefix + newbits > network.bits) {
      throw new Error(`insufficient address space to extend prefix of ${network.prefix} by ${newbits}`);
    }
    const prefix = lengthened(network, newbits);
    if (wanted < 0n || wanted >= 1n << BigInt(newbits)) {
      throw new Error(`prefix extension of ${newbits} does not accommodate a subnet numbered ${wanted}`);
    }
    const address = network.address | (wanted << BigInt(network.bits - prefix));
    return stringValue(formatNetwork({ ...network, address, prefix }));
  },
);

const subnets = variadic([text('prefix')], number('newbits'), (prefixValue, ...newbits) => {
  const network = parseNetwork(prefixValue);
  let next = network.address;
  const end = network.address + (1n << BigInt(network.bits - network.prefix));
  const result = newbits.map((value, at) => {
    const added = wholeNumber(value, at + 1);
    if (added < 1) throw new ArgumentError(at + 1, 'must extend prefix by at least one bit');
    const prefix = lengthened(network, added);
    const size = 1n << BigInt(network.bits - prefix);
    const address = ((next + size - 1n) / size) * size;
    if (address + size > end) {
      throw new ArgumentError(
        at + 1,
        `not enough remaining address space for a subnet with a prefix of ${prefix} bits after ${formatAddress(next, network.bits)}`,
      );
    }
    next = address + size;
    return stringValue(formatNetwork({ ...network, address, prefix }));
  });
  return listValue(result, stringType);
});

/** Addresses and prefixes of networks. */
export const cidrFunctions: Functions = {
  cidrhost: host,
  cidrnetmask: netmask,
  cidrsubnet: subnet,
  cidrsubnets: subnets,
};
