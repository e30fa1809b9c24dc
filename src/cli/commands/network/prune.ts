import { defineCommand, noArguments } from '../../command.ts';
import { bool, filter } from '../../flags/index.ts';
import { confirm } from '../confirm.ts';
import { pruneNetworks } from '../prune.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Remove every network without containers',
  arguments: noArguments,
  flags: {
    filter: { ...filter('Remove only what meets these conditions (e.g. "until=<timestamp>")'), short: '' },
    force: bool('Do not ask', { short: 'f' }),
  },
  async run(context, { flags }) {
    const warning = 'WARNING! This will remove all custom networks not used by at least one container.';
    if (!flags.force && !(await confirm(context, warning))) return;
    const { text } = await pruneNetworks(context, flags.filter);
    if (text !== '') context.out.write(`${text}\n`);
  },
});
