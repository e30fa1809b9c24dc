import type { SystemInfo } from '#api/types';
import { messageOf } from '#kernel';
import { ExitStatus, defineCommand, noArguments } from '../../command.ts';
import type { Context } from '../../context.ts';
import { string } from '../../flags/index.ts';
import { typed } from '../../format/go-value.ts';
import { encodeJson } from '../../format/json.ts';
import { Template, TemplateError } from '../../format/template.ts';
import { formatUsage } from '../../format/usage.ts';
import { programVersion } from '../../program-version.ts';
import { describeInfo } from './info-text.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Show the state of the engine and its host',
  aliases: ['system info', 'info'],
  arguments: noArguments,
  flags: { format: string(formatUsage(false), { short: 'f' }) },
  async run(context, { flags }) {
    const client = { Version: programVersion, Context: context.contextName, Debug: false, Plugins: [] };
    const answer = await context.engine
      .json<SystemInfo>({ method: 'GET', path: '/info' })
      .then((info) => ({ info, error: undefined }))
      .catch((error: unknown) => ({ info: undefined, error: messageOf(error) }));
    if (flags.format !== '') {
      context.out.write(`${formatted(flags.format, { ...answer.info, ClientInfo: client })}\n`);
      if (answer.error !== undefined) throw new ExitStatus(1, answer.error);
      return;
    }
    printText(context, answer.info, answer.error, client);
  },
});

function printText(
  context: Context,
  info: SystemInfo | undefined,
  error: string | undefined,
  client: { readonly Version: string; readonly Context: string },
): void {
  context.out.write(
    `Client:\n Version:    ${client.Version}\n Context:    ${client.Context}\n Debug Mode: false\n\nServer:\n`,
  );
  if (!info) throw new ExitStatus(1, error ?? '');
  const { text, warnings } = describeInfo(info);
  context.out.write(`${text}\n`);
  for (const warning of warnings) context.err.write(`${warning}\n`);
}

function formatted(format: string, data: object): string {
  if (format === 'json') return encodeJson(data);
  try {
    return new Template(format).execute(typed(data));
  } catch (error) {
    throw error instanceof TemplateError
      ? new ExitStatus(64, `template parsing error: ${error.message}`)
      : error;
  }
}
