import type { ContainerInspectResponse, ContainerStatsResponse, ContainerSummary } from '#api/types';
import { messageOf } from '#kernel';
import { ExitStatus, atLeast, defineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { bool, string } from '../../flags/index.ts';
import { renderListing } from '../../format/listing.ts';
import { formatUsage } from '../../format/usage.ts';
import { containerPath } from '../each.ts';
import type { Usage } from './stats-listing.ts';
import { measure, statsListing } from './stats-listing.ts';

const table =
  'table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}';

/** Milliseconds between two pictures of the table. */
const interval = 500;

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
      const names = args.length > 0 ? args : await listNames(context, flags.all);
      const rows = await Promise.all(names.map((name) => measureOnce(context, name)));
      context.out.write(show(rows.filter((row) => row !== undefined)));
      return;
    }
    await watch(context, args, flags.all, show);
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

async function listNames(context: Context, all: boolean): Promise<string[]> {
  const containers = await context.engine.json<readonly ContainerSummary[]>({
    method: 'GET',
    path: '/containers/json',
    query: { all },
  });
  return containers.map(({ Id }) => Id);
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

/** Redraws the table until the user stops it, or until none of the named containers is left. */
async function watch(
  context: Context,
  names: readonly string[],
  all: boolean,
  show: (rows: readonly Usage[]) => string,
): Promise<void> {
  const rows = new Map<string, Usage>();
  const follow = async (name: string): Promise<void> => {
    if (rows.has(name)) return;
    rows.set(name, { container: name });
    const stream = context.engine.objects<ContainerStatsResponse>({
      method: 'GET',
      path: `${containerPath(name)}/stats`,
      query: { stream: true },
    });
    try {
      for await (const stats of stream) rows.set(name, measure(name, stats));
    } finally {
      rows.delete(name);
    }
  };
  let live = 0;
  const begin = (list: readonly string[]): void => {
    for (const name of list) {
      live += 1;
      void follow(name)
        .catch(() => undefined)
        .finally(() => (live -= 1));
    }
  };
  begin(names);
  do {
    if (names.length === 0) begin((await listNames(context, all)).filter((name) => !rows.has(name)));
    await new Promise((resolve) => setTimeout(resolve, interval));
    draw(context, show([...rows.values()]));
  } while (names.length === 0 || live > 0);
}

function draw(context: Context, text: string): void {
  const lines = text.split('\n').map((line) => `${line}\u001b[K`);
  context.out.write(`\u001b[H${lines.join('\n')}\u001b[J`);
}
