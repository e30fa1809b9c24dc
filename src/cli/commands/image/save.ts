import { atLeast, defineCommand } from '../../command.ts';
import { list, string } from '../../flags/index.ts';
import { saveBody } from '../files.ts';
import { platformJson } from './platform.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Write images to an archive, on standard output by default',
  aliases: ['image save', 'save'],
  arguments: atLeast(1),
  flags: {
    output: string('File to write to instead of standard output', { short: 'o' }),
    platform: list('Write only this platform of the images: os[/arch[/variant]]'),
  },
  run: (context, { flags, args }) =>
    saveBody(context, flags.output, 'failed to save image', () =>
      context.engine.send({
        method: 'GET',
        path: '/images/get',
        query: { names: args, platform: flags.platform.flatMap((text) => platformJson(text) ?? []) },
      }),
    ),
});
