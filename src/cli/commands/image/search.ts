import type { ImageSearchItem } from '#api/types';
import { parseReference } from '#oci';
import { defineCommand, exactly } from '../../command.ts';
import { registryAuth } from '../../config/credentials.ts';
import { bool, filter, int, string } from '../../flags/index.ts';
import { renderListing, type Listing } from '../../format/listing.ts';
import { ellipsis } from '../../format/units.ts';
import { formatUsage } from '../../format/usage.ts';
import { encodeFilters } from '../filters.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] TERM',
  summary: "Search a registry's index, Docker Hub's by default",
  aliases: ['search'],
  arguments: exactly(1),
  flags: {
    filter: filter('Show only what meets these conditions'),
    format: string(formatUsage(true)),
    limit: int('Show at most so many results'),
    'no-trunc': bool('Show descriptions in full'),
  },
  async run(context, { flags, args: [term = ''] }) {
    const results = await context.engine.json<readonly ImageSearchItem[]>({
      method: 'GET',
      path: '/images/search',
      query: {
        term,
        limit: flags.limit > 0 ? String(flags.limit) : undefined,
        filters: encodeFilters(flags.filter),
      },
      headers: { 'X-Registry-Auth': registryAuth(context.config, domainOf(term)) },
    });
    const given = flags.format || 'table';
    const table = 'table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}';
    const format = given === 'table' ? table : given;
    context.out.write(renderListing(results, format, searchListing(!flags['no-trunc'])));
  },
});

/** `registry.example/term` is searched in that registry. */
function domainOf(term: string): string {
  const [first = '', ...rest] = term.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  return isHost ? parseReference(`${first}/x`).domain : 'docker.io';
}

const searchListing = (truncate: boolean): Listing<ImageSearchItem> => ({
  typeName: '*formatter.searchContext',
  headers: {
    Name: 'NAME',
    Description: 'DESCRIPTION',
    StarCount: 'STARS',
    IsOfficial: 'OFFICIAL',
    IsAutomated: 'AUTOMATED',
  },
  columns: (result) => ({
    Name: () => result.name,
    Description: () => {
      const text = result.description.replaceAll('\n', ' ').replaceAll('\r', ' ');
      return truncate ? ellipsis(text, 45) : text;
    },
    StarCount: () => String(result.star_count),
    IsOfficial: () => (result.is_official ? '[OK]' : ''),
    IsAutomated: () => '',
  }),
});
