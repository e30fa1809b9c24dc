import type { ContainerInspectResponse } from '#api/types';
import { between, defineCommand } from '../../command.ts';
import { printLine } from '../../context.ts';
import { compareNatural } from '../../format/natural.ts';
import { containerPath } from '../each.ts';
import { joinHostPort } from './ports.ts';

export const command = defineCommand({
  synopsis: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  summary: 'Show where the ports of a container are published',
  aliases: ['container port', 'port'],
  arguments: between(1, 2),
  flags: {},
  async run(context, { args: [name = '', port] }) {
    const { NetworkSettings } = await context.engine.json<ContainerInspectResponse>({
      method: 'GET',
      path: `${containerPath(name)}/json`,
    });
    const ports = NetworkSettings.Ports ?? {};
    const lines: string[] = [];
    if (port !== undefined) {
      const [number = '', protocol = 'tcp'] = port.split('/');
      if (!/^\d+$/.test(number))
        throw new Error(
          `Error: invalid port (${number}): strconv.ParseUint: parsing ${JSON.stringify(number)}: invalid syntax`,
        );
      const wanted = `${number}/${protocol}`;
      const bindings = Object.hasOwn(ports, wanted) ? ports[wanted] : undefined;
      if (!bindings || bindings.length === 0)
        throw new Error(`Error: No public port '${port}' published for ${name}`);
      lines.push(...bindings.map(({ HostIp = '', HostPort = '' }) => joinHostPort(HostIp, HostPort)));
    } else {
      for (const [from, bindings] of Object.entries(ports)) {
        for (const { HostIp = '', HostPort = '' } of bindings ?? []) {
          lines.push(`${from} -> ${joinHostPort(HostIp, HostPort)}`);
        }
      }
    }
    lines.sort(compareNatural);
    for (const line of lines) printLine(context.out, line);
  },
});
