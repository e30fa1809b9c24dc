import { defineCommand, noArguments } from '../../command.ts';
import { bool, filter } from '../../flags/index.ts';
import { confirm } from '../confirm.ts';
import { nowFlag, pruneImages, report } from '../prune.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Remove images that nothing uses',
  arguments: noArguments,
  flags: {
    all: bool('Remove every image that no container uses, not only those without a name', { short: 'a' }),
    filter: { ...filter('Remove only what meets these conditions (e.g. "until=<timestamp>")'), short: '' },
    force: bool('Do not ask', { short: 'f' }),
    now: nowFlag,
  },
  async run(context, { flags }) {
    const which = flags.all
      ? 'all images without at least one container associated to them'
      : 'all dangling images';
    if (!flags.force && !(await confirm(context, `WARNING! This will remove ${which}.`))) return;
    report(context, [await pruneImages(context, flags)]);
  },
});
