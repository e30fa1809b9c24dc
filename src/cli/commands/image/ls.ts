import type { ImageSummary } from '#api/types';
import type { Context } from '../../context.ts';
import { atMost, defineCommand } from '../../command.ts';
import { bool, filter, string } from '../../flags/index.ts';
import { renderListing } from '../../format/listing.ts';
import { formatUsage } from '../../format/usage.ts';
import { encodeFilters } from '../filters.ts';
import { imageListing, imageRows } from './listing.ts';
import { renderTree } from './tree-view.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] [REPOSITORY[:TAG]]',
  summary: 'List images',
  aliases: ['image ls', 'image list', 'images'],
  arguments: atMost(1),
  flags: {
    all: bool('Show intermediate images too', { short: 'a' }),
    digests: bool('Show digests'),
    filter: filter('Show only what meets these conditions'),
    format: string(formatUsage(true)),
    'no-trunc': bool('Show ids in full'),
    quiet: bool('Show ids only', { short: 'q' }),
    tree: bool('Show the platforms of each image'),
  },
  async run(context, { flags, changed, args: [name] }) {
    const reference = name === undefined ? {} : { reference: [...(flags.filter['reference'] ?? []), name] };
    if (flags.tree) {
      const taken = { 'no-trunc': flags['no-trunc'], quiet: flags.quiet, format: changed.has('format') };
      for (const [flag, isGiven] of Object.entries(taken)) {
        if (isGiven) throw new Error(`--${flag} is not yet supported with --tree`);
      }
      if (flags.digests) throw new Error('--show-digest is not yet supported with --tree');
    }
    const images = await context.engine.json<readonly ImageSummary[]>({
      method: 'GET',
      path: '/images/json',
      query: {
        all: flags.all,
        filters: encodeFilters({ ...flags.filter, ...reference }),
        manifests: flags.tree ? '1' : undefined,
      },
    });
    if (flags.tree) {
      const shown = images.filter(({ RepoTags }) => flags.all || RepoTags.length > 0);
      const sorted = [...shown].sort((a, b) => b.Created - a.Created);
      context.out.write(renderTree(sorted, context.terminal.size()?.columns ?? 80));
      return;
    }
    const format = chooseFormat(context, flags.format, flags.quiet, flags.digests, changed.has('format'));
    const rows = imageRows(
      [...images].sort((a, b) => b.Created - a.Created),
      { digests: flags.digests || format.includes('{{.Digest}}'), dangling: flags.digests },
    );
    const listing = imageListing({ truncate: !flags['no-trunc'], now: context.now() });
    context.out.write(renderListing(rows, format, listing));
  },
});

function chooseFormat(
  context: Context,
  given: string,
  quiet: boolean,
  digests: boolean,
  isGiven: boolean,
): string {
  if (quiet) {
    if (isGiven)
      context.err.write('WARNING: Ignoring custom format, because both --format and --quiet are set.\n');
    return '{{.ID}}';
  }
  const format = given || context.config.data.imagesFormat || 'table';
  if (format === 'table') {
    return `table {{.Repository}}\t{{.Tag}}\t${digests ? '{{.Digest}}\t' : ''}{{.ID}}\t{{.CreatedSince}}\t{{.Size}}`;
  }
  if (format !== 'raw') return format;
  const digest = digests ? 'digest: {{.Digest}}\n' : '';
  return `repository: {{ .Repository }}\ntag: {{.Tag}}\n${digest}image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n`;
}
