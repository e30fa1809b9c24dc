import { defineCommand, noArguments } from '../../command.ts';
import { bool, filter } from '../../flags/index.ts';
import type { Filter } from '../../flags/index.ts';
import { confirm } from '../confirm.ts';
import { nowFlag, pruneContainers, pruneImages, pruneNetworks, pruneVolumes, report } from '../prune.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Remove everything that is not in use',
  arguments: noArguments,
  flags: {
    all: bool('Remove every image that no container uses, not only those without a name', { short: 'a' }),
    filter: { ...filter('Remove only what meets these conditions (e.g. "label=<key>=<value>")'), short: '' },
    force: bool('Do not ask', { short: 'f' }),
    now: nowFlag,
    volumes: bool('Remove anonymous volumes too'),
  },
  async run(context, { flags }) {
    if (flags.volumes && flags.filter['until']) {
      throw new Error('ERROR: The "until" filter is not supported with "--volumes"');
    }
    if (!flags.force && !(await confirm(context, warning(flags.all, flags.volumes, flags.filter)))) return;
    const pruned = [
      await pruneContainers(context, flags.filter),
      await pruneNetworks(context, flags.filter),
      ...(flags.volumes ? [await pruneVolumes(context, { ...flags, all: false })] : []),
      await pruneImages(context, flags),
    ];
    report(context, pruned);
  },
});

function warning(all: boolean, volumes: boolean, conditions: Filter): string {
  const lines = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(volumes ? ['all anonymous volumes not used by at least one container'] : []),
    all ? 'all images without at least one container associated to them' : 'all dangling images',
    all ? 'all build cache' : 'unused build cache',
  ];
  const filters = Object.entries(conditions).flatMap(([name, values]) =>
    values.map((value) => `${name}=${value}`),
  );
  const shown =
    filters.length === 0
      ? ''
      : `\n  Items to be pruned will be filtered with:\n${filters
          .sort()
          .map((text) => `  - ${text}\n`)
          .join('')}`;
  return `WARNING! This will remove:\n${lines.map((line) => `  - ${line}\n`).join('')}${shown}`;
}
