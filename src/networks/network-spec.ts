import { EngineError, invalidArgument, notFound } from '#kernel';
import type { IpamPool, NetworkSpec } from './networks.ts';
import { contains, formatBlock, overlaps, parseAddress, parseCidr, type Block } from './ip.ts';
import { forbidden, listed } from './network-errors.ts';
import { goBoolean, isPredefined } from './network-record.ts';

/** Throws with Docker's texts if the request cannot be a network, whatever else exists. */
export function validateNetworkSpec(spec: NetworkSpec): void {
  if (spec.name.trim() === '') throw invalidArgument('invalid name: name is empty');
  if (isPredefined(spec.name) || spec.name === 'default') {
    throw forbidden(`operation is not permitted on predefined ${spec.name} network `);
  }
  if (spec.enableIPv4 === false && spec.enableIPv6 !== true) {
    throw invalidArgument('IPv4 or IPv6 must be enabled');
  }
  const problems = (spec.ipam?.pools ?? []).flatMap(poolProblems);
  if (problems.length > 0) throw invalidArgument(`invalid network config:\n${listed(problems)}`);
  validateDriver(spec);
  validateOptions(spec.options ?? {});
}

function validateDriver(spec: NetworkSpec): void {
  const driver = spec.driver ?? 'bridge';
  if (driver === 'host' || driver === 'null') {
    throw forbidden(`only one instance of "${driver}" network is allowed`);
  }
  if (driver === 'overlay') {
    throw forbidden(
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    );
  }
  if (driver === 'macvlan' || driver === 'ipvlan') {
    throw new EngineError('unimplemented', `network driver ${driver} is not supported: use bridge`);
  }
  if (driver !== 'bridge') throw notFound(`plugin "${driver}" not found`);
  const ipam = spec.ipam?.driver ?? 'default';
  if (ipam !== '' && ipam !== 'default') throw notFound(`plugin "${ipam}" not found`);
}

function validateOptions(options: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (name === 'com.docker.network.driver.mtu' && Number(value) < 0) {
      throw invalidArgument(`invalid MTU number: ${value}`);
    }
    const problem = optionProblem(name, value);
    if (problem !== undefined) throw invalidArgument(`failed to parse ${name} value: ${value} (${problem})`);
  }
  const name = options['com.docker.network.bridge.name'];
  if (name !== undefined && (name.length > 15 || !/^[^/\s:]+$/.test(name) || /^\.{1,2}$/.test(name))) {
    throw invalidArgument(
      `invalid bridge name ${JSON.stringify(name)}: a link's name has 1 to 15 characters`,
    );
  }
}

function optionProblem(name: string, value: string): string | undefined {
  const quoted = JSON.stringify(value);
  switch (name.replace('com.docker.network.', '')) {
    case 'bridge.enable_icc':
    case 'bridge.enable_ip_masquerade':
      return goBoolean(value) === undefined
        ? `strconv.ParseBool: parsing ${quoted}: invalid syntax`
        : undefined;
    case 'driver.mtu':
      return /^[+-]?\d+$/.test(value) ? undefined : `strconv.Atoi: parsing ${quoted}: invalid syntax`;
    case 'bridge.host_binding_ipv4':
      return value === '' || parseAddress(value) ? undefined : 'nil ip';
    default:
      return undefined;
  }
}

/** One line per mistake, in Docker's words. */
function poolProblems(pool: IpamPool): string[] {
  const parsed = parseCidr(pool.subnet);
  if (!parsed) return [`invalid subnet ${pool.subnet}: invalid CIDR block notation`];
  const problems: string[] = [];
  if (parsed.host.value !== parsed.block.value) {
    problems.push(`invalid subnet ${pool.subnet}: it should be ${formatBlock(parsed.block)}`);
  }
  problems.push(...rangeProblems(parsed.block, pool));
  if (pool.gateway !== undefined) {
    problems.push(...addressProblems(parsed.block, pool.subnet, `gateway ${pool.gateway}`, pool.gateway));
  }
  for (const [name, address] of Object.entries(pool.auxAddresses ?? {})) {
    problems.push(...addressProblems(parsed.block, pool.subnet, `auxiliary address ${name}`, address));
  }
  return problems;
}

function rangeProblems(subnet: Block, pool: IpamPool): string[] {
  if (pool.ipRange === undefined) return [];
  const range = parseCidr(pool.ipRange);
  const what = `invalid ip-range ${pool.ipRange}:`;
  if (!range) return [`${what} invalid CIDR block notation`];
  const problems: string[] = [];
  if (range.host.value !== range.block.value)
    problems.push(`${what} it should be ${formatBlock(range.block)}`);
  if (range.block.prefixLength < subnet.prefixLength && range.block.family === subnet.family) {
    problems.push(`${what} CIDR block is bigger than its parent subnet ${pool.subnet}`);
  } else if (!overlaps(range.block, subnet)) {
    problems.push(`${what} parent subnet ${pool.subnet} doesn't contain ip-range`);
  }
  return problems;
}

function addressProblems(subnet: Block, subnetText: string, what: string, address: string): string[] {
  const parsed = parseAddress(address);
  if (!parsed) return [`invalid ${what}: invalid address`];
  if (parsed.family !== subnet.family)
    return [`invalid ${what}: parent subnet is an IPv${subnet.family} block`];
  return contains(subnet, parsed)
    ? []
    : [`invalid ${what}: parent subnet ${subnetText} doesn't contain this address`];
}
