import { defineCommand, noArguments } from '../../command.ts';
import { bool, filter } from '../../flags/index.ts';
import { confirm } from '../confirm.ts';
import { nowFlag, pruneVolumes, report } from '../prune.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Remove volumes that no container uses',
  arguments: noArguments,
  flags: {
    all: bool('Remove volumes with names too', { short: 'a' }),
    filter: { ...filter('Remove only what meets these conditions (e.g. "label=<label>")'), short: '' },
    force: bool('Do not ask', { short: 'f' }),
    now: nowFlag,
  },
  async run(context, { flags }) {
    if (flags.all && flags.filter['all']) {
      throw new Error('conflicting options: cannot specify both --all and --filter all=1');
    }
    const which = flags.all ? 'all local volumes' : 'anonymous local volumes';
    const warning = `WARNING! This will remove ${which} not used by at least one container.`;
    if (!flags.force && !(await confirm(context, warning))) return;
    report(context, [await pruneVolumes(context, flags)]);
  },
});
