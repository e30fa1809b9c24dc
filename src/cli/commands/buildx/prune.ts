import { defineCommand, noArguments } from '../../command.ts';
import { bool, bytes, filter, string } from '../../flags/index.ts';
import { tabulateWithTabs } from '../../format/tabwriter.ts';
import { decimalSize } from '../../format/units.ts';
import { readAnswer } from '../confirm.ts';

export const command = defineCommand({
  synopsis: '',
  summary: 'Remove build cache',
  aliases: ['builder prune', 'buildx prune'],
  arguments: noArguments,
  flags: {
    all: bool('Remove also what is needed internally, and what was used lately', { short: 'a' }),
    builder: string('Name of the builder; there is the default one only'),
    debug: bool('Show more', { short: 'D', hidden: true }),
    filter: { ...filter('Remove only what meets these conditions (e.g. "until=24h")'), short: '' },
    force: bool('Do not ask', { short: 'f' }),
    'keep-storage': bytes('Bytes that may stay', {
      hidden: true,
      deprecated: 'keep-storage flag has been changed to reserved-space',
    }),
    'max-used-space': bytes('Bytes that the cache may take at most'),
    'min-free-space': bytes('Bytes that shall be free on the disk afterwards'),
    'reserved-space': bytes('Bytes that may always stay'),
    verbose: bool('Everything that is known of what is removed'),
  },
  async run(context, { flags }) {
    const { Control } = await import('#buildkit');
    const { onlyDefault, withBuilder } = await import('../../build/builder-nodes.ts');
    const { describeUsage, usageCondition, usageListing } = await import('../../build/usage-records.ts');
    onlyDefault(flags.builder, context.config.folder);
    const condition = usageCondition(flags.filter);
    const what = flags.all ? 'all build cache' : 'all dangling build cache';
    if (!flags.force) {
      context.out.write(`WARNING! This will remove ${what}. Are you sure you want to continue? [y/N] `);
      if ((await readAnswer(context)).trim().toLowerCase() !== 'y') return;
    }
    const listing = usageListing(context.now(), true);
    let total = 0;
    let isFirst = true;
    await withBuilder(context, async (calls) => {
      const request = {
        filter: [condition.filter],
        all: flags.all,
        keepDuration: condition.unusedFor,
        reservedSpace: BigInt(flags['reserved-space'] || flags['keep-storage']),
        maxUsedSpace: BigInt(flags['max-used-space']),
        minFreeSpace: BigInt(flags['min-free-space']),
      };
      // As long as it takes: there may be much to remove.
      const { signal } = new AbortController();
      for await (const record of calls.stream(Control.method.prune, request, { signal })) {
        total += Number(record.size);
        if (flags.verbose) context.out.write(describeUsage(record, context.now()));
        else {
          if (isFirst) context.out.write(row(['ID', 'RECLAIMABLE', 'SIZE', 'LAST ACCESSED']));
          const columns = listing.columns(record);
          context.out.write(
            row(['ID', 'Reclaimable', 'Size', 'LastUsedAt'].map((name) => String(columns[name]?.()))),
          );
        }
        isFirst = false;
      }
    });
    context.out.write(`${tabulateWithTabs(`Total:\t${decimalSize(total)}`)}\n`);
  },
});

/** Each is shown when it is removed: widths are fixed. */
const row = ([id = '', reclaimable = '', size = '', last = '']: readonly string[]): string =>
  `${id.padEnd(40)}  ${reclaimable.padEnd(11)}  ${size.padEnd(10)}  ${last}`.trimEnd() + '\n';
