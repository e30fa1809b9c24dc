import { isNotFound } from '#client';
import { atLeast, defineCommand } from '../../command.ts';
import { bool } from '../../flags/index.ts';
import { forEach } from '../each.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] VOLUME [VOLUME...]',
  summary: 'Remove one or more volumes',
  description: 'Remove one or more volumes. A volume that a container uses is not removed.',
  aliases: ['volume rm', 'volume remove'],
  arguments: atLeast(1),
  flags: { force: bool('Volumes that do not exist are no error', { short: 'f' }) },
  run: (context, { flags, args }) =>
    forEach(context, args, async (name) => {
      try {
        await context.engine.done({
          method: 'DELETE',
          path: `/volumes/${encodeURIComponent(name)}`,
          query: { force: flags.force },
        });
      } catch (error) {
        if (!flags.force || !isNotFound(error)) throw error;
      }
      return name;
    }),
});
