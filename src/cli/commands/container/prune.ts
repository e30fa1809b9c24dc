import { defineCommand, noArguments } from '../../command.ts';
import { bool, filter } from '../../flags/index.ts';
import { confirm } from '../confirm.ts';
import { pruneContainers, report } from '../prune.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Remove every stopped container',
  arguments: noArguments,
  flags: {
    filter: { ...filter('Remove only what meets these conditions (e.g. "until=<timestamp>")'), short: '' },
    force: bool('Do not ask', { short: 'f' }),
  },
  async run(context, { flags }) {
    if (!flags.force && !(await confirm(context, 'WARNING! This will remove all stopped containers.')))
      return;
    report(context, [await pruneContainers(context, flags.filter)]);
  },
});
