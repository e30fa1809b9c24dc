import { defineCommand, ExitStatus, noArguments } from '../../command.ts';
import { bool, list, string } from '../../flags/index.ts';
import { renderListing } from '../../format/listing.ts';

const table = 'table {{.Ref}}\t{{.Name}}\t{{.Status}}\t{{.CreatedAt}}\t{{.Duration}}\t';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'List builds',
  arguments: noArguments,
  flags: {
    builder: string('Name of the builder; there is the default one only'),
    debug: bool('Show more', { short: 'D', hidden: true }),
    filter: list(
      'Show only what meets these conditions: status=completed, error, running or canceled; ref=ID',
    ),
    format: string('table, json, or a Go template', { initial: 'table' }),
    'no-trunc': bool('Names in full; they are never cut here'),
  },
  async run(context, { flags }) {
    const { buildStatus, historyListing, listHistory } = await import('../../build/build-history.ts');
    const conditions = flags.filter.map((text) => {
      const [key = '', value = ''] = text.split('=');
      if (key !== 'status' && key !== 'ref') throw new ExitStatus(1, `ERROR: unknown filter key "${key}"`);
      return { key, value: value.toLowerCase() };
    });
    const records = (await listHistory(context)).filter((record) =>
      conditions.every(({ key, value }) =>
        key === 'ref' ? record.ref === value : buildStatus(record).toLowerCase() === value,
      ),
    );
    const format = flags.format === 'table' ? table : flags.format;
    context.out.write(renderListing(records, format, historyListing(context.now())));
  },
});
