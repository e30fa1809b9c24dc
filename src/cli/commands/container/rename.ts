import { messageOf } from '#kernel';
import { defineCommand, exactly } from '../../command.ts';
import { containerPath } from '../each.ts';

export const command = defineCommand({
  synopsis: 'CONTAINER NEW_NAME',
  summary: 'Give a container another name',
  aliases: ['container rename', 'rename'],
  arguments: exactly(2),
  flags: {},
  async run(context, { args: [old = '', name = ''] }) {
    if (old.trim() === '' || name.trim() === '') {
      throw new Error('Error: Neither old nor new names may be empty');
    }
    try {
      await context.engine.done({ method: 'POST', path: `${containerPath(old)}/rename`, query: { name } });
    } catch (error) {
      throw new Error(`${messageOf(error)}\nError: failed to rename container named ${old}`, {
        cause: error,
      });
    }
  },
});
