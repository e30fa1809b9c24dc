import type { SystemInfo } from '#api/types';
import { messageOf } from '#kernel';
import { ExitStatus, defineCommand, noArguments } from '../../command.ts';
import type { Context as CommandContext } from '../../context.ts';
import { string } from '../../flags/index.ts';
import { typed } from '../../format/go-value.ts';
import { renderStruct } from '../../format/struct.ts';
import { formatUsage } from '../../format/usage.ts';
import { describeClient } from './client-version.ts';
import { describeInfo } from './info-text.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Show the state of the engine and its host',
  aliases: ['system info', 'info'],
  arguments: noArguments,
  flags: { format: string(formatUsage(false), { short: 'f' }) },
  async run(context, { flags }) {
    const { Version, DefaultAPIVersion, GitCommit, GoVersion, Os, Arch, BuildTime, Context } =
      describeClient(context);
    const client = {
      Debug: false,
      Version,
      DefaultAPIVersion,
      GitCommit,
      GoVersion,
      Os,
      Arch,
      BuildTime,
      Context,
      Plugins: [],
      Warnings: null,
    };
    const answer = await context.engine
      .json<SystemInfo>({ method: 'GET', path: '/info' })
      .then((info) => ({ info, error: undefined }))
      .catch((error: unknown) => ({ info: undefined, error: messageOf(error) }));
    if (flags.format !== '') {
      const data = typed({ ...answer.info, ClientInfo: client }) as object;
      const { text, error } = renderStruct(data, flags.format, { typeName: 'system.dockerInfo' });
      context.out.write(text);
      const failure = answer.error ?? error;
      if (failure !== undefined) throw new ExitStatus(1, failure);
      return;
    }
    printText(context, answer.info, answer.error, client);
  },
});

function printText(
  context: CommandContext,
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
