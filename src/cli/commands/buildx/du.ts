import { defineCommand, ExitStatus, noArguments } from '../../command.ts';
import { bool, filter, string } from '../../flags/index.ts';
import { renderListing } from '../../format/listing.ts';

const table = 'table {{.ID}}\t{{.Reclaimable}}\t{{.Size}}\t{{.LastUsedAt}}';

export const command = defineCommand({
  synopsis: '',
  summary: 'Show what the build cache takes on disk',
  aliases: ['builder du', 'buildx du'],
  arguments: noArguments,
  flags: {
    builder: string('Name of the builder; there is the default one only'),
    debug: bool('Show more', { short: 'D', hidden: true }),
    filter: { ...filter('Show only what meets these conditions'), short: '' },
    format: string('table, pretty, json, or a Go template'),
    verbose: bool('Everything that is known of each: --format=pretty'),
  },
  async run(context, { flags }) {
    if (flags.format !== '' && flags.verbose) {
      throw new ExitStatus(1, 'ERROR: --format and --verbose cannot be used together');
    }
    // Loaded for the builder alone: gRPC costs 20 ms.
    const { Control } = await import('#buildkit');
    const { onlyDefault, withBuilder } = await import('../../build/builder-nodes.ts');
    const { bySize, describeUsage, summarizeUsage, usageCondition, usageListing } =
      await import('../../build/usage-records.ts');
    onlyDefault(flags.builder, context.config.folder);
    const condition = usageCondition(flags.filter);
    const { record } = await withBuilder(context, (calls, signal) =>
      calls.call(
        Control.method.diskUsage,
        { filter: [condition.filter], ageLimit: condition.unusedFor },
        { signal },
      ),
    );
    record.sort(bySize);
    const isPretty = flags.verbose || flags.format === 'pretty';
    const isDefault = flags.format === '' || flags.format === 'table';
    if (isPretty) for (const each of record) context.out.write(describeUsage(each, context.now()));
    else {
      const format = isDefault ? table : flags.format;
      context.out.write(
        renderListing(record, format, usageListing(context.now(), format.startsWith('table'))),
      );
    }
    if ((isPretty || isDefault) && Object.keys(flags.filter).length === 0)
      context.out.write(summarizeUsage(record));
  },
});
