import { atLeast, defineCommand } from '../../command.ts';
import { string } from '../../flags/index.ts';
import { formatUsage } from '../../format/usage.ts';
import { inspectAll } from '../inspect.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] VOLUME [VOLUME...]',
  summary: 'Show everything about one or more volumes',
  arguments: atLeast(1),
  flags: { format: string(formatUsage(false), { short: 'f' }) },
  run: (context, { flags, args }) =>
    inspectAll(context, args, flags.format, (name) =>
      context.engine.text({ method: 'GET', path: `/volumes/${encodeURIComponent(name)}` }),
    ),
});
