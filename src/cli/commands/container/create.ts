import type { ContainerCreateRequest } from '#api/types';
import { messageOf } from '#kernel';
import { ExitStatus, atLeast, defineCommand } from '../../command.ts';
import { printLine } from '../../context.ts';
import { checkPull, createContainer } from './create-container.ts';
import { createFlags } from './create-flags.ts';
import { makeCreateRequest } from './create-request.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Create a container without starting it',
  aliases: ['container create', 'create'],
  arguments: atLeast(1),
  stopsAtArgument: true,
  flags: createFlags,
  async run(context, { flags, changed, args }) {
    let plan: ContainerCreateRequest;
    try {
      checkPull(flags.pull);
      plan = makeCreateRequest(flags, changed, args, context.env);
    } catch (error) {
      if (error instanceof ExitStatus) throw error;
      throw new ExitStatus(125, `${context.program}: ${messageOf(error)}`, {
        pointsToHelp: true,
        cause: error,
      });
    }
    printLine(context.out, await createContainer(context, flags, plan));
  },
});
