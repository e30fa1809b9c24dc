import type { ImageHistoryResponseItem } from '#api/types';
import { shortId } from '#kernel';
import { defineCommand, exactly } from '../../command.ts';
import { bool, string } from '../../flags/index.ts';
import { renderListing } from '../../format/listing.ts';
import type { Listing } from '../../format/listing.ts';
import { ago, localRfc3339 } from '../../format/time.ts';
import { decimalSize, ellipsis } from '../../format/units.ts';
import { formatUsage } from '../../format/usage.ts';
import { imagePath } from './path.ts';
import { platformJson } from './platform.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] IMAGE',
  summary: 'Show the steps that an image was made in',
  aliases: ['image history', 'history'],
  arguments: exactly(1),
  flags: {
    format: string(formatUsage(true)),
    human: bool('Print sizes and times for people', { short: 'H', initial: true }),
    'no-trunc': bool('Show ids and commands in full'),
    platform: string('Show this platform of the image: os[/arch[/variant]]'),
    quiet: bool('Show ids only', { short: 'q' }),
  },
  async run(context, { flags, args: [name = ''] }) {
    const steps = await context.engine.json<readonly ImageHistoryResponseItem[]>({
      method: 'GET',
      path: `${imagePath(name)}/history`,
      query: { platform: platformJson(flags.platform) },
    });
    const table = `table {{.ID}}\t${flags.human ? '{{.CreatedSince}}' : '{{.CreatedAt}}'}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}`;
    const given = flags.format || 'table';
    const format = flags.quiet ? '{{.ID}}' : given === 'table' ? table : given;
    context.out.write(
      renderListing(
        steps,
        format,
        historyListing({ truncate: !flags['no-trunc'], human: flags.human, now: context.now() }),
      ),
    );
  },
});

interface HistoryOptions {
  readonly truncate: boolean;
  readonly human: boolean;
  readonly now: number;
}

const historyListing = ({ truncate, human, now }: HistoryOptions): Listing<ImageHistoryResponseItem> => ({
  typeName: '*formatter.historyContext',
  headers: {
    ID: 'IMAGE',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    CreatedBy: 'CREATED BY',
    Size: 'SIZE',
    Comment: 'COMMENT',
  },
  columns: (step) => ({
    ID: () => (truncate ? shortId(step.Id) : step.Id),
    CreatedAt: () => (step.Created <= -62135596800 ? '' : localRfc3339(step.Created * 1000)),
    CreatedSince: () =>
      !human
        ? localRfc3339(step.Created * 1000)
        : step.Created <= -62135596800
          ? ''
          : ago(step.Created * 1000, now),
    CreatedBy: () => {
      const text = step.CreatedBy.replaceAll('\t', ' ');
      return truncate ? ellipsis(text, 45) : text;
    },
    Size: () => (human ? decimalSize(step.Size, 3) : String(step.Size)),
    Comment: () => step.Comment,
  }),
});
