import { defineCommand, exactly } from '../../command.ts';
import { string } from '../../flags/index.ts';
import { containerPath } from '../each.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER CHECKPOINT',
  summary: 'Remove a checkpoint',
  aliases: ['checkpoint rm', 'checkpoint remove'],
  arguments: exactly(2),
  flags: { 'checkpoint-dir': string('Folder of the checkpoints') },
  run: (context, { flags, args: [name = '', checkpoint = ''] }) =>
    context.engine.done({
      method: 'DELETE',
      path: `${containerPath(name)}/checkpoints/${encodeURIComponent(checkpoint)}`,
      query: { dir: flags['checkpoint-dir'] || undefined },
    }),
});
