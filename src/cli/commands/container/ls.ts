import type { ContainerSummary } from '#api/types';
import { messageOf } from '#kernel';
import type { Context } from '../../context.ts';
import { defineCommand, noArguments } from '../../command.ts';
import { bool, filter, int, string } from '../../flags/index.ts';
import { Template } from '../../format/template.ts';
import { formatUsage } from '../../format/usage.ts';
import { Row } from '../../format/go-value.ts';
import { renderListing } from '../../format/listing.ts';
import { encodeFilters } from '../filters.ts';
import { containerListing, defaultFormat } from './listing.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'List containers',
  aliases: ['container ls', 'container list', 'container ps', 'ps'],
  arguments: noArguments,
  flags: {
    all: bool('Show containers in every state, not only running ones', { short: 'a' }),
    filter: filter('Show only what meets these conditions'),
    format: string(formatUsage(true)),
    last: int('Show the n containers created last, in every state', { short: 'n', initial: -1 }),
    latest: bool('Show the container created last, in every state', { short: 'l' }),
    'no-trunc': bool('Show ids and commands in full'),
    quiet: bool('Show ids only', { short: 'q' }),
    size: bool('Show the sizes of the file systems', { short: 's' }),
  },
  async run(context, { flags, changed }) {
    const format = chooseFormat(context, flags.format, flags.quiet, flags.size, changed.has('format'));
    const limit = flags.latest && !changed.has('last') ? 1 : flags.last;
    const containers = await context.engine.json<readonly ContainerSummary[]>({
      method: 'GET',
      path: '/containers/json',
      query: {
        all: flags.all,
        limit: limit > 0 ? limit : undefined,
        size:
          flags.size ||
          (changed.has('format') && !flags.quiet && flags.format !== 'json' && asksSize(format)),
        filters: encodeFilters(flags.filter),
      },
    });
    const listing = containerListing({ truncate: !flags['no-trunc'], now: context.now() });
    context.out.write(renderListing(containers, format, listing));
  },
});

const blank: ContainerSummary = {
  Id: '',
  Names: [],
  Image: '',
  ImageID: '',
  Command: '',
  Created: 0,
  Ports: [],
  Labels: {},
  State: 'created',
  Status: '',
  HostConfig: { NetworkMode: '' },
  NetworkSettings: { Networks: {} },
  Mounts: [],
};

/** Whether the template shows sizes, which cost the engine time: tried on an empty row. Throws Docker's texts. */
function asksSize(format: string): boolean {
  let asked = false;
  const listing = containerListing({ truncate: true, now: 0 });
  const Size = (): string => {
    asked = true;
    return '';
  };
  try {
    new Template(format).execute(new Row(listing.typeName, { ...listing.columns(blank), Size }));
  } catch (error) {
    const verb = messageOf(error).includes(': executing ') ? 'execute' : 'parse';
    throw new Error(`failed to ${verb} template: ${messageOf(error)}`, { cause: error });
  }
  return asked;
}

function chooseFormat(
  context: Context,
  given: string,
  quiet: boolean,
  size: boolean,
  isGiven: boolean,
): string {
  if (quiet) {
    if (isGiven)
      context.err.write('WARNING: Ignoring custom format, because both --format and --quiet are set.\n');
    return '{{.ID}}';
  }
  const format = given || context.config.data.psFormat || 'table';
  if (format === 'table') return defaultFormat(size);
  if (format !== 'raw') return format;
  const rows = [
    'container_id: {{.ID}}',
    'image: {{.Image}}',
    'command: {{.Command}}',
    'created_at: {{.CreatedAt}}',
    'state: {{- pad .State 1 0}}',
    'status: {{- pad .Status 1 0}}',
    'names: {{.Names}}',
    'labels: {{- pad .Labels 1 0}}',
    'ports: {{- pad .Ports 1 0}}',
    ...(size ? ['size: {{.Size}}'] : []),
  ];
  return `${rows.join('\n')}\n`;
}
