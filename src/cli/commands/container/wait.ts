import type { ContainerWaitResponse } from '#api/types';
import { atLeast, defineCommand } from '../../command.ts';
import { containerPath, forEach } from '../each.ts';

export const command = defineCommand({
  synopsis: 'CONTAINER [CONTAINER...]',
  summary: 'Wait until containers have stopped and print their exit codes',
  aliases: ['container wait', 'wait'],
  arguments: atLeast(1),
  flags: {},
  run: (context, { args }) =>
    forEach(context, args, async (name) => {
      const { StatusCode, Error: failure } = await context.engine.json<ContainerWaitResponse>({
        method: 'POST',
        path: `${containerPath(name)}/wait`,
      });
      if (failure) throw new Error(failure.Message ?? '');
      return String(StatusCode);
    }),
});
