import type { Volume, VolumeListResponse } from '#api/types';
import { defineCommand, noArguments } from '../../command.ts';
import { bool, filter, string } from '../../flags/index.ts';
import { compareNatural } from '../../format/natural.ts';
import { renderListing } from '../../format/listing.ts';
import { formatUsage } from '../../format/usage.ts';
import { encodeFilters } from '../filters.ts';
import { volumeListing } from './listing.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'List volumes',
  aliases: ['volume ls', 'volume list'],
  arguments: noArguments,
  flags: {
    cluster: bool('Show the volumes of the cluster only', { hidden: true }),
    filter: filter('Show only what meets these conditions (e.g. "dangling=true")'),
    format: string(formatUsage(true)),
    quiet: bool('Show names only', { short: 'q' }),
  },
  async run(context, { flags }) {
    const answer = await context.engine.json<VolumeListResponse>({
      method: 'GET',
      path: '/volumes',
      query: { filters: encodeFilters(flags.filter) },
    });
    const given = flags.format || (flags.quiet ? 'table' : context.config.data.volumesFormat) || 'table';
    const volumes: Volume[] = [...(answer.Volumes ?? [])];
    volumes.sort((a, b) => compareNatural(a.Name, b.Name));
    const hasLocked = volumes.some(({ Status }) => Status?.['Locked'] === true);
    context.out.write(renderListing(volumes, shape(given, flags.quiet, hasLocked), volumeListing));
  },
});

/** Docker's columns, and one more where a volume is locked. */
function shape(given: string, quiet: boolean, hasLocked: boolean): string {
  const status = hasLocked ? '\t{{.Status}}' : '';
  if (given === 'table') return quiet ? '{{.Name}}' : `table {{.Driver}}\t{{.Name}}${status}`;
  if (given !== 'raw') return given;
  return quiet ? 'name: {{.Name}}' : 'name: {{.Name}}\ndriver: {{.Driver}}\n';
}
