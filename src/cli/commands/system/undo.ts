import type { WharfBinEntry, WharfUndo } from '#api/types';
import { shortId } from '#kernel';
import { atMost, defineCommand, ExitStatus } from '../../command.ts';
import { printLine } from '../../context.ts';
import { bool, string } from '../../flags/index.ts';
import { tabulate } from '../../format/tabwriter.ts';
import { ago } from '../../format/time.ts';
import { decimalSize, spanInWords } from '../../format/units.ts';
import type { Context } from '../../context.ts';
import { wharfOnly } from '../wharf-only.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] [ID]',
  summary: 'Bring back what the last prune removed',
  description:
    'Bring back the images and volumes that the last prune removed, or what ID names: an image, a volume, or a batch ' +
    'of the list. Pruned images and volumes are kept in a bin for a while, unless the disk is low on space.',
  arguments: atMost(1),
  flags: {
    list: bool('Show what can be brought back', { short: 'l' }),
    name: string('Another name for the volume'),
  },
  async run(context, { flags, args: [id = ''] }) {
    if (flags.list) {
      await list(context);
      return;
    }
    const { Restored } = await wharfOnly('undo a prune', () =>
      context.engine.json<WharfUndo>({
        method: 'POST',
        path: '/system/undo',
        query: { id, name: flags.name },
      }),
    );
    for (const { Kind, Id, Names } of Restored) {
      if (Names.length > 0 || Kind === 'image') {
        printLine(context.out, `${Kind} ${shortId(Id)}${Names.length > 0 ? ` ${Names.join(', ')}` : ''}`);
      }
    }
    const problems = Restored.flatMap(({ Problem }) => Problem ?? []);
    if (problems.length > 0) throw new ExitStatus(1, problems.join('\n'));
  },
});

async function list(context: Context): Promise<void> {
  const entries = await wharfOnly('undo a prune', () =>
    context.engine.json<readonly WharfBinEntry[]>({ method: 'GET', path: '/system/bin' }),
  );
  const now = context.now();
  const rows = entries.map(({ Kind, Id, Names, Size, PrunedAt, Until, Batch }) =>
    [
      Batch,
      Kind,
      shortId(Id),
      Names.length === 0 ? '<none>' : Names.join(', '),
      decimalSize(Size, 3),
      ago(Date.parse(PrunedAt), now),
      spanInWords(Math.max(0, Date.parse(Until) - now)),
    ].join('\t'),
  );
  const head = ['BATCH', 'KIND', 'ID', 'NAMES', 'SIZE', 'PRUNED', 'KEPT FOR'].join('\t');
  context.out.write(tabulate(`${[head, ...rows].join('\n')}\n`));
}
