import type { NetworkSummary } from '#api/types';
import { shortId } from '#kernel';
import { defineCommand, noArguments } from '../../command.ts';
import { bool, filter, string } from '../../flags/index.ts';
import { Time } from '../../format/go-value.ts';
import { compareNatural } from '../../format/natural.ts';
import { renderListing } from '../../format/listing.ts';
import type { Listing } from '../../format/listing.ts';
import { formatUsage } from '../../format/usage.ts';
import { formatLabels } from '../container/listing.ts';
import { encodeFilters } from '../filters.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'List networks',
  aliases: ['network ls', 'network list'],
  arguments: noArguments,
  flags: {
    filter: filter('Show only what meets these conditions (e.g. "driver=bridge")'),
    format: string(formatUsage(true)),
    'no-trunc': bool('Show ids in full'),
    quiet: bool('Show ids only', { short: 'q' }),
  },
  async run(context, { flags }) {
    const networks = await context.engine.json<readonly NetworkSummary[]>({
      method: 'GET',
      path: '/networks',
      query: { filters: encodeFilters(flags.filter) },
    });
    const given = flags.format || (flags.quiet ? 'table' : context.config.data.networksFormat) || 'table';
    const format = shape(given, flags.quiet);
    const sorted = [...networks].sort((a, b) => compareNatural(a.Name, b.Name));
    context.out.write(renderListing(sorted, format, networkListing(!flags['no-trunc'])));
  },
});

function shape(given: string, quiet: boolean): string {
  if (given === 'table') return quiet ? '{{.ID}}' : 'table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}';
  if (given !== 'raw') return given;
  return quiet
    ? 'network_id: {{.ID}}'
    : 'network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n';
}

const networkListing = (truncate: boolean): Listing<NetworkSummary> => ({
  typeName: '*network.networkContext',
  headers: {
    ID: 'NETWORK ID',
    Name: 'NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    IPv4: 'IPV4',
    IPv6: 'IPV6',
    Internal: 'INTERNAL',
    Labels: 'LABELS',
    CreatedAt: 'CREATED AT',
  },
  columns: (network) => ({
    ID: () => (truncate ? shortId(network.Id) : network.Id),
    Name: () => network.Name,
    Driver: () => network.Driver,
    Scope: () => network.Scope,
    IPv4: () => String(network.EnableIPv4),
    IPv6: () => String(network.EnableIPv6),
    Internal: () => String(network.Internal),
    Labels: () => formatLabels(network.Labels),
    Label: (name) => network.Labels?.[String(name)] ?? '',
    // As the engine wrote it: Docker does not move it to the local zone.
    CreatedAt: () => new Time(network.Created).toString(),
  }),
});
