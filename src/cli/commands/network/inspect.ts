import { atLeast, defineCommand } from '../../command.ts';
import { bool, string } from '../../flags/index.ts';
import { formatUsage } from '../../format/usage.ts';
import { inspectAll } from '../inspect.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] NETWORK [NETWORK...]',
  summary: 'Show everything about one or more networks',
  arguments: atLeast(1),
  flags: {
    format: string(formatUsage(false), { short: 'f' }),
    verbose: bool('Show more, for finding faults', { short: 'v' }),
  },
  run: (context, { flags, args }) =>
    inspectAll(context, args, flags.format, (name) =>
      context.engine.text({
        method: 'GET',
        path: `/networks/${encodeURIComponent(name)}`,
        query: { verbose: flags.verbose },
      }),
    ),
});
