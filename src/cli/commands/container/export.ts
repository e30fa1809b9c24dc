import { defineCommand, exactly } from '../../command.ts';
import { string } from '../../flags/index.ts';
import { containerPath } from '../each.ts';
import { saveBody } from '../files.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER',
  summary: "Write a container's file system as a tar archive",
  aliases: ['container export', 'export'],
  arguments: exactly(1),
  flags: { output: string('File to write to instead of standard output', { short: 'o' }) },
  run: (context, { flags, args: [name = ''] }) =>
    saveBody(context, flags.output, 'failed to export container', () =>
      context.engine.send({ method: 'GET', path: `${containerPath(name)}/export` }),
    ),
});
