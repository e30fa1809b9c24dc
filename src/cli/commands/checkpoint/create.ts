import { defineCommand, exactly } from '../../command.ts';
import { printLine } from '../../context.ts';
import { bool, string } from '../../flags/index.ts';
import { containerPath } from '../each.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER CHECKPOINT',
  summary: 'Freeze a running container into a checkpoint',
  arguments: exactly(2),
  flags: {
    'checkpoint-dir': string('Folder for the checkpoint'),
    'leave-running': bool('The container goes on running'),
  },
  async run(context, { flags, args: [name = '', checkpoint = ''] }) {
    await context.engine.done({
      method: 'POST',
      path: `${containerPath(name)}/checkpoints`,
      json: {
        CheckpointID: checkpoint,
        CheckpointDir: flags['checkpoint-dir'],
        Exit: !flags['leave-running'],
      },
    });
    printLine(context.out, checkpoint);
  },
});
