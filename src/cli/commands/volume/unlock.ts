import { atLeast, defineCommand } from '../../command.ts';
import { forEach } from '../each.ts';
import { wharfOnly } from '../wharf-only.ts';

export const command = defineCommand({
  synopsis: 'VOLUME [VOLUME...]',
  summary: 'Let locked volumes be removed again',
  arguments: atLeast(1),
  flags: {},
  run: (context, { args }) =>
    forEach(context, args, async (name) => {
      await wharfOnly('lock volumes', () =>
        context.engine.done({ method: 'POST', path: `/volumes/${encodeURIComponent(name)}/unlock` }),
      );
      return name;
    }),
});
