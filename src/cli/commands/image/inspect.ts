import { atLeast, defineCommand } from '../../command.ts';
import { string } from '../../flags/index.ts';
import { formatUsage } from '../../format/usage.ts';
import { inspectAll } from '../inspect.ts';
import { imagePath } from './path.ts';
import { platformJson } from './platform.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Show everything about one or more images',
  arguments: atLeast(1),
  flags: {
    format: string(formatUsage(false), { short: 'f' }),
    platform: string('Show this platform of the image: os[/arch[/variant]]'),
  },
  run: (context, { flags, args }) =>
    inspectAll(context, args, flags.format, (name) =>
      context.engine.text({
        method: 'GET',
        path: `${imagePath(name)}/json`,
        query: { platform: platformJson(flags.platform) },
      }),
    ),
});
