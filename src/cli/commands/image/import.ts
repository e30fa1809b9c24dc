import type { ProgressMessage } from '#api/types';
import { jsonLines } from '#client';
import { between, defineCommand } from '../../command.ts';
import { list, string } from '../../flags/index.ts';
import { showProgress } from '../../terminal/progress.ts';
import { inputOf } from '../files.ts';
import { checkReadable } from './load.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  summary: 'Make an image from a tar archive of a file system',
  aliases: ['image import', 'import'],
  arguments: between(1, 2),
  flags: {
    change: list('Dockerfile instruction to apply to the image', { short: 'c' }),
    message: string('Message for the history of the image', { short: 'm' }),
    platform: string('Platform of the image, where the engine offers several'),
  },
  async run(context, { flags, args: [source = '', name] }) {
    const remote = /^https?:\/\//.test(source);
    if (!remote && source !== '-') checkReadable(source);
    const repo = await checked(name);
    const answer = await context.engine.send({
      method: 'POST',
      path: '/images/create',
      query: {
        fromSrc: remote ? source : '-',
        repo,
        message: flags.message || undefined,
        changes: flags.change,
        platform: flags.platform || undefined,
      },
      ...(!remote && { stream: inputOf(context, source) }),
      contentType: 'application/x-tar',
    });
    // The stream carries progress messages only.
    const messages = jsonLines(answer.body) as AsyncGenerator<ProgressMessage>;
    await showProgress(messages, context.out, { isTerminal: context.terminal.stdoutIsTerminal });
  },
});

async function checked(name: string | undefined): Promise<string | undefined> {
  if (name === undefined || name === '') return undefined;
  const { parseReference } = await import('#oci');
  parseReference(name);
  return name;
}
