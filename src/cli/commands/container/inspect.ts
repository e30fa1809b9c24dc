import { atLeast, defineCommand } from '../../command.ts';
import { bool, string } from '../../flags/index.ts';
import { formatUsage } from '../../format/usage.ts';
import { containerPath } from '../each.ts';
import { inspectAll } from '../inspect.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Show everything about one or more containers',
  arguments: atLeast(1),
  flags: {
    format: string(formatUsage(false), { short: 'f' }),
    size: bool('Show the sizes of the file systems', { short: 's' }),
  },
  run: (context, { flags, args }) =>
    inspectAll(context, args, flags.format, (name) =>
      context.engine.text({
        method: 'GET',
        path: `${containerPath(name)}/json`,
        query: { size: flags.size },
      }),
    ),
});
