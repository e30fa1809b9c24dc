import { atLeast, defineCommand } from '../../command.ts';
import { stopFlags, timeoutOf } from './stop-flags.ts';
import { containerPath, forEach } from '../each.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Stop one or more running containers',
  aliases: ['container stop', 'stop'],
  arguments: atLeast(1),
  flags: stopFlags,
  run: (context, { flags, changed, args }) =>
    forEach(context, args, async (name) => {
      await context.engine.done({
        method: 'POST',
        path: `${containerPath(name)}/stop`,
        query: {
          signal: flags.signal || undefined,
          t: timeoutOf(flags, changed),
        },
      });
      return name;
    }),
});
