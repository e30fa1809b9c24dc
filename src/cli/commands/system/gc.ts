import type { WharfCollection, WharfCollectionStep } from '#api/types';
import { shortId } from '#kernel';
import { defineCommand, noArguments } from '../../command.ts';
import { bool, bytes } from '../../flags/index.ts';
import { tabulate } from '../../format/tabwriter.ts';
import { ago } from '../../format/time.ts';
import { decimalSize } from '../../format/units.ts';
import { wharfOnly } from '../wharf-only.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Remove what nothing needs, and more where the disk is low on space',
  description:
    'Remove what nothing needs, and more where the disk is low on space: what is in the bin, build cache, then images ' +
    'without a tag that nothing uses. The engine does this by itself too. Volumes are never removed.',
  arguments: noArguments,
  flags: {
    'dry-run': bool('Say what would be removed, and remove nothing'),
    explain: bool('As --dry-run, and what would go next, and what stays, and why'),
    free: bytes('Go on until so much of the disk is free'),
  },
  async run(context, { flags, changed }) {
    const tells = flags.explain || flags['dry-run'];
    const report = await wharfOnly('collect garbage', () =>
      context.engine.json<WharfCollection>({
        method: tells ? 'GET' : 'POST',
        path: '/system/gc',
        query: changed.has('free') ? { free: flags.free } : {},
      }),
    );
    const now = context.now();
    const { Total, Free, LowSpace, HighSpace, Removed, Next = [], Kept = [], SpaceReclaimed } = report;
    if (tells) {
      const begins =
        LowSpace === 0
          ? 'nothing is removed for want of space'
          : `below ${decimalSize(LowSpace)} things are removed until ${decimalSize(HighSpace)} are free`;
      context.out.write(`${decimalSize(Free)} of ${decimalSize(Total)} are free; ${begins}.\n\n`);
    }
    context.out.write(section(tells ? 'Would be removed now:' : 'Removed:', Removed, now));
    if (flags.explain) {
      context.out.write(section('Would go next, in this order:', Next, now));
      context.out.write(section('Stays:', Kept, now));
    }
    context.out.write(`Total ${tells ? 'reclaimable' : 'reclaimed'} space: ${decimalSize(SpaceReclaimed)}\n`);
  },
});

function section(title: string, steps: readonly WharfCollectionStep[], now: number): string {
  if (steps.length === 0) return '';
  const rows = steps.map(({ Kind, Id, Names, Size, LastUsedAt, Reason }) =>
    [
      Kind,
      Id.startsWith('sha256:') || Id.length >= 12 ? shortId(Id) : '',
      Names.length === 0 ? '' : Names.join(', '),
      decimalSize(Size, 3),
      LastUsedAt === undefined ? '' : ago(Date.parse(LastUsedAt), now),
      Reason,
    ].join('\t'),
  );
  const head = ['KIND', 'ID', 'NAMES', 'SIZE', 'LAST USED', 'WHY'].join('\t');
  return `${title}\n${tabulate(`${[head, ...rows].join('\n')}\n`)}\n`;
}
