import type { CheckpointSummary } from '#api/types';
import { defineCommand, exactly } from '../../command.ts';
import { string } from '../../flags/index.ts';
import { renderListing } from '../../format/listing.ts';
import { containerPath } from '../each.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER',
  summary: 'List the checkpoints of a container',
  aliases: ['checkpoint ls', 'checkpoint list'],
  arguments: exactly(1),
  flags: { 'checkpoint-dir': string('Folder of the checkpoints') },
  async run(context, { flags, args: [name = ''] }) {
    const checkpoints = await context.engine.json<readonly CheckpointSummary[]>({
      method: 'GET',
      path: `${containerPath(name)}/checkpoints`,
      query: { dir: flags['checkpoint-dir'] || undefined },
    });
    context.out.write(
      renderListing(checkpoints, 'table {{.Name}}', {
        typeName: '*checkpoint.checkpointContext',
        headers: { Name: 'CHECKPOINT NAME' },
        columns: ({ Name }) => ({ Name: () => Name }),
      }),
    );
  },
});
