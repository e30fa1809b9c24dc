import { atLeast, defineCommand } from '../../command.ts';
import { containerPath, forEach } from '../each.ts';

export const command = defineCommand({
  synopsis: 'CONTAINER [CONTAINER...]',
  summary: 'Let the processes of frozen containers go on',
  aliases: ['container unpause', 'unpause'],
  arguments: atLeast(1),
  flags: {},
  run: (context, { args }) =>
    forEach(context, args, async (name) => {
      await context.engine.done({ method: 'POST', path: `${containerPath(name)}/unpause` });
      return name;
    }),
});
