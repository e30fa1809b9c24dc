import { isNotFound } from '#client';
import { atLeast, defineCommand } from '../../command.ts';
import { bool } from '../../flags/index.ts';
import { containerPath, forEach } from '../each.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Remove one or more containers',
  aliases: ['container rm', 'container remove', 'rm'],
  arguments: atLeast(1),
  flags: {
    force: bool('Kill containers that run', { short: 'f' }),
    link: bool('Remove only this link', { short: 'l' }),
    volumes: bool('Remove their anonymous volumes too', { short: 'v' }),
  },
  run: (context, { flags, args }) =>
    forEach(context, args, async (arg) => {
      const name = arg.replace(/^\/+|\/+$/g, '');
      if (name === '') throw new Error('container name cannot be empty');
      try {
        await context.engine.done({
          method: 'DELETE',
          path: containerPath(name),
          query: { force: flags.force, link: flags.link, v: flags.volumes },
        });
      } catch (error) {
        // With --force a container that is not there is a success, with a word about it.
        if (!flags.force || !isNotFound(error)) throw error;
        context.err.write(`${error instanceof Error ? error.message : ''}\n`);
        return undefined;
      }
      return arg;
    }),
});
