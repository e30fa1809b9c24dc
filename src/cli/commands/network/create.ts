import type { NetworkCreateResponse } from '#api/types';
import { defineCommand, exactly } from '../../command.ts';
import { printLine } from '../../context.ts';
import { bool, labelWord, list, map, string, strings } from '../../flags/index.ts';
import { pairs } from '../pairs.ts';
import { makeIpam } from './ipam.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] NETWORK',
  summary: 'Create a network',
  arguments: exactly(1),
  flags: {
    attachable: bool('Let containers join by hand'),
    'aux-address': map('Address that the driver uses itself, name=ip'),
    'config-from': string('Network to take the configuration from'),
    'config-only': bool('Keep only the configuration, for other networks'),
    driver: string('Driver of the network', { short: 'd', initial: 'bridge' }),
    gateway: strings('Gateway of the subnet'),
    ingress: bool('Create the routing mesh of a swarm'),
    internal: bool('Allow no traffic to or from outside'),
    'ip-range': strings('Part of the subnet that containers get addresses from'),
    'ipam-driver': string('Driver that manages the addresses', { initial: 'default' }),
    'ipam-opt': map('Option of the driver that manages the addresses'),
    ipv4: bool('Give containers IPv4 addresses', { initial: true }),
    ipv6: bool('Give containers IPv6 addresses'),
    label: list('Label, name=value', { check: labelWord }),
    opt: map('Option of the driver', { short: 'o' }),
    scope: string('How far the network reaches'),
    subnet: strings('Subnet in CIDR form'),
  },
  async run(context, { flags, changed, args: [Name = ''] }) {
    const ipam = makeIpam({
      driver: flags['ipam-driver'],
      subnets: flags.subnet,
      ranges: flags['ip-range'],
      gateways: flags.gateway,
      auxiliary: flags['aux-address'],
      options: flags['ipam-opt'],
    });
    const answer = await context.engine.json<NetworkCreateResponse>({
      method: 'POST',
      path: '/networks/create',
      json: {
        Name,
        CheckDuplicate: true,
        Driver: flags.driver,
        Scope: flags.scope,
        ...(changed.has('ipv4') && { EnableIPv4: flags.ipv4 }),
        ...(changed.has('ipv6') && { EnableIPv6: flags.ipv6 }),
        IPAM: ipam,
        Internal: flags.internal,
        Attachable: flags.attachable,
        Ingress: flags.ingress,
        ConfigOnly: flags['config-only'],
        ConfigFrom: flags['config-from'] === '' ? null : { Network: flags['config-from'] },
        Options: flags.opt,
        Labels: pairs(flags.label),
      },
    });
    if (answer.Warning) context.err.write(`WARNING: ${answer.Warning}\n`);
    printLine(context.out, answer.Id);
  },
});
