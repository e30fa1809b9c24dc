import { atLeast, defineCommand } from '../../command.ts';
import { string } from '../../flags/index.ts';
import { containerPath, forEach } from '../each.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Send a signal to one or more containers, KILL by default',
  aliases: ['container kill', 'kill'],
  arguments: atLeast(1),
  flags: { signal: string('Signal to send', { short: 's' }) },
  run: (context, { flags, args }) =>
    forEach(context, args, async (name) => {
      await context.engine.done({
        method: 'POST',
        path: `${containerPath(name)}/kill`,
        query: { signal: flags.signal || undefined },
      });
      return name;
    }),
});
