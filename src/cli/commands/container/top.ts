import type { ContainerTopResponse } from '#api/types';
import { atLeast, defineCommand } from '../../command.ts';
import { tabulate } from '../../format/tabwriter.ts';
import { containerPath } from '../each.ts';

export const command = defineCommand({
  synopsis: 'CONTAINER [ps OPTIONS]',
  summary: 'List the processes of a container',
  aliases: ['container top', 'top'],
  arguments: atLeast(1),
  stopsAtArgument: true,
  flags: {},
  async run(context, { args: [name = '', ...options] }) {
    const { Titles, Processes } = await context.engine.json<ContainerTopResponse>({
      method: 'GET',
      path: `${containerPath(name)}/top`,
      query: { ps_args: options.length > 0 ? options.join(' ') : undefined },
    });
    const rows = [Titles, ...Processes].map((row) => `${row.join('\t')}\n`);
    context.out.write(tabulate(rows.join(''), { minWidth: 20, padding: 3 }));
  },
});
