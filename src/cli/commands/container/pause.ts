import { atLeast, defineCommand } from '../../command.ts';
import { containerPath, forEach } from '../each.ts';

export const command = defineCommand({
  synopsis: 'CONTAINER [CONTAINER...]',
  summary: 'Freeze all processes of one or more containers',
  aliases: ['container pause', 'pause'],
  arguments: atLeast(1),
  flags: {},
  run: (context, { args }) =>
    forEach(context, args, async (name) => {
      await context.engine.done({ method: 'POST', path: `${containerPath(name)}/pause` });
      return name;
    }),
});
