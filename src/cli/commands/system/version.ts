import type { SystemVersion } from '#api/types';
import { clientVersion } from '#client';
import { messageOf } from '#kernel';
import { ExitStatus, defineCommand, noArguments } from '../../command.ts';
import type { Context } from '../../context.ts';
import { string } from '../../flags/index.ts';
import { asMap } from '../../format/go-value.ts';
import { encodeJson } from '../../format/json.ts';
import { tabulate } from '../../format/tabwriter.ts';
import { Template, TemplateError } from '../../format/template.ts';
import { formatUsage } from '../../format/usage.ts';
import { programVersion } from '../../program-version.ts';

interface ClientVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly DefaultAPIVersion: string;
  readonly GitCommit: string;
  readonly GoVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly BuildTime: string;
  readonly Context: string;
}

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Show the versions of client and engine',
  arguments: noArguments,
  flags: { format: string(formatUsage(false), { short: 'f' }) },
  async run(context, { flags }) {
    const answer = await context.engine
      .json<SystemVersion>({ method: 'GET', path: '/version' })
      .then((server) => ({ server, error: undefined }))
      .catch((error: unknown) => ({ server: undefined, error: messageOf(error) }));
    const { server } = answer;
    const client = clientPart(context);
    if (flags.format !== '') context.out.write(`${formatted(flags.format, client, server)}\n`);
    else context.out.write(tabulate(describe(client, server), { minWidth: 20, padding: 1 }));
    if (answer.error !== undefined) throw new ExitStatus(1, answer.error);
  },
});

function clientPart(context: Context): ClientVersion {
  return {
    Version: programVersion,
    ApiVersion: context.engine.version,
    DefaultAPIVersion: clientVersion,
    GitCommit: 'wharf',
    GoVersion: 'none',
    Os: 'linux',
    Arch: process.arch === 'x64' ? 'amd64' : process.arch,
    BuildTime: '',
    Context: context.contextName,
  };
}

function formatted(format: string, client: ClientVersion, server: SystemVersion | undefined): string {
  for (const component of server?.Components ?? []) asMap(component.Details ?? {});
  const data = { Client: client, Server: server ? { ...server, Components: server.Components ?? [] } : null };
  if (format === 'json') return encodeJson(data);
  try {
    return new Template(format).execute(data);
  } catch (error) {
    throw error instanceof TemplateError
      ? new ExitStatus(64, `template parsing error: ${error.message}`)
      : error;
  }
}

const builtAt = (text: string | undefined): string => {
  const date = new Date(text ?? '');
  if (text === undefined || Number.isNaN(date.getTime())) return text ?? '';
  const [, weekday = '', day = '', month = '', year = '', time = ''] =
    /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(date.toUTCString()) ?? [];
  return `${weekday} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`;
};

function describe(client: ClientVersion, server: SystemVersion | undefined): string {
  const rows = [
    'Client:',
    ` Version:\t${client.Version}`,
    ` API version:\t${client.ApiVersion}${client.ApiVersion === client.DefaultAPIVersion ? '' : ` (downgraded from ${client.DefaultAPIVersion})`}`,
    ` Go version:\t${client.GoVersion}`,
    ` Git commit:\t${client.GitCommit}`,
    ` Built:\t${client.BuildTime}`,
    ` OS/Arch:\t${client.Os}/${client.Arch}`,
    ` Context:\t${client.Context}`,
  ];
  if (server)
    rows.push(
      '',
      `Server:${server.Platform.Name === '' ? '' : ` ${server.Platform.Name}`}`,
      ...components(server),
    );
  return `${rows.join('\n')}\n`;
}

function components(server: SystemVersion): string[] {
  const engine = {
    Name: 'Engine',
    Version: server.Version,
    Details: {
      ApiVersion: server.ApiVersion,
      MinAPIVersion: server.MinAPIVersion,
      GoVersion: server.GoVersion,
      GitCommit: server.GitCommit,
      BuildTime: builtAt(server.BuildTime),
      Os: server.Os,
      Arch: server.Arch,
      Experimental: String(server.Experimental ?? false),
    },
  };
  const listed = server.Components?.length ? server.Components : [engine];
  return listed.flatMap(({ Name, Version, Details }) => {
    const details: Readonly<Record<string, string>> = Details ?? {};
    const rows = [` ${Name}:`, `  Version:\t${Version}`];
    if (Name !== 'Engine')
      return [
        ...rows,
        ...Object.keys(details)
          .sort()
          .map((key) => `  ${key}:\t${details[key] ?? ''}`),
      ];
    return [
      ...rows,
      `  API version:\t${details['ApiVersion'] ?? ''} (minimum version ${details['MinAPIVersion'] ?? ''})`,
      `  Go version:\t${details['GoVersion'] ?? ''}`,
      `  Git commit:\t${details['GitCommit'] ?? ''}`,
      `  Built:\t${details['BuildTime'] ?? ''}`,
      `  OS/Arch:\t${details['Os'] ?? ''}/${details['Arch'] ?? ''}`,
      `  Experimental:\t${details['Experimental'] ?? ''}`,
    ];
  });
}
