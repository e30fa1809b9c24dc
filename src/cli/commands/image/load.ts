import { statSync } from 'node:fs';
import type { ProgressMessage } from '#api/types';
import { jsonLines } from '#client';
import { errnoOf, messageOf } from '#kernel';
import { defineCommand, noArguments } from '../../command.ts';
import { bool, list, string } from '../../flags/index.ts';
import { showProgress } from '../../terminal/progress.ts';
import { inputOf } from '../files.ts';
import { platformJson } from './platform.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Load images from an archive or from standard input',
  aliases: ['image load', 'load'],
  arguments: noArguments,
  flags: {
    input: string('Archive to read instead of standard input', { short: 'i' }),
    platform: list('Load only this platform of the images: os[/arch[/variant]]'),
    quiet: bool('Do not show the progress', { short: 'q' }),
  },
  async run(context, { flags }) {
    if (flags.input === '') {
      if (context.terminal.stdinIsTerminal) {
        throw new Error('requested load from stdin, but stdin is empty');
      }
    } else checkReadable(flags.input);
    const answer = await context.engine.send({
      method: 'POST',
      path: '/images/load',
      query: {
        quiet: flags.quiet || !context.terminal.stdoutIsTerminal ? '1' : '0',
        platform: flags.platform.flatMap((text) => platformJson(text) ?? []),
      },
      stream: inputOf(context, flags.input),
      contentType: 'application/x-tar',
    });
    if (!/^application\/(json|x-ndjson)/.test(answer.headers.get('content-type') ?? '')) {
      for await (const chunk of answer.body) context.out.write(chunk);
      return;
    }
    // The stream carries progress messages only.
    const messages = jsonLines(answer.body) as AsyncGenerator<ProgressMessage>;
    const columns = context.terminal.size()?.columns;
    await showProgress(messages, context.out, {
      isTerminal: context.terminal.stdoutIsTerminal,
      ...(columns !== undefined && { columns }),
    });
  },
});

export function checkReadable(path: string): void {
  try {
    statSync(path);
  } catch (error) {
    const why = errnoOf(error) === 'ENOENT' ? 'no such file or directory' : messageOf(error);
    throw new Error(`open ${path}: ${why}`, { cause: error });
  }
}
