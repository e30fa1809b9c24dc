import type { ContainerInspectResponse, ContainerStatsResponse } from '#api/types';
import { messageOf } from '#kernel';
import { ExitStatus, atLeast, defineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { bool, string } from '../../flags/index.ts';
import { renderListing } from '../../format/listing.ts';
import { formatUsage } from '../../format/usage.ts';
import { containerPath } from '../each.ts';
import type { Usage } from './stats-listing.ts';
import { measure, statsListing } from './stats-listing.ts';
import { listContainers, watchStats } from './stats-watch.ts';

const table =
  'table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}';

export const command = defineCommand({
  synopsis: '[OPTIONS] [CONTAINER...]',
  summary: 'Show what containers use of CPU, memory and I/O, live',
  aliases: ['container stats', 'stats'],
  arguments: atLeast(0),
  flags: {
    all: bool('Show containers in every state, not only running ones', { short: 'a' }),
    format: string(formatUsage(true)),
    'no-stream': bool('Measure once and quit'),
    'no-trunc': bool('Show ids in full'),
  },
  async run(context, { flags, args }) {
    const given = flags.format || context.config.data.statsFormat || 'table';
    const format = given === 'table' ? table : given;
    const show = (rows: readonly Usage[]): string =>
      renderListing(rows, format, statsListing({ truncate: !flags['no-trunc'] }));
    if (args.length > 0) await checkAll(context, args);
    if (flags['no-stream']) {
      const names = args.length > 0 ? args : await listContainers(context, flags.all);
      const rows = await Promise.all(names.map((name) => measureOnce(context, name)));
      context.out.write(show(rows.filter((row) => row !== undefined)));
      return;
    }
    await watchStats(context, args, { all: flags.all, draw: (rows) => draw(context, show(rows)) });
  },
});

async function checkAll(context: Context, names: readonly string[]): Promise<void> {
  const get = (name: string): Promise<ContainerInspectResponse> =>
    context.engine.json({ method: 'GET', path: `${containerPath(name)}/json` });
  const results = await Promise.allSettled(names.map(get));
  const errors = results.flatMap((result) =>
    result.status === 'rejected' ? [messageOf(result.reason)] : [],
  );
  if (errors.length > 0) throw new ExitStatus(1, errors.join('\n'));
}

async function measureOnce(context: Context, name: string): Promise<Usage | undefined> {
  const stats = await context.engine
    .json<ContainerStatsResponse>({
      method: 'GET',
      path: `${containerPath(name)}/stats`,
      query: { stream: '0' },
    })
    // It may have been removed since it was listed.
    .catch(() => undefined);
  return stats && measure(name, stats);
}

function draw(context: Context, text: string): void {
  const lines = text.split('\n').map((line) => `${line}\u001b[K`);
  context.out.write(`\u001b[H${lines.join('\n')}\u001b[J`);
}
