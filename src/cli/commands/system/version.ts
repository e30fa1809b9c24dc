import type { SystemVersion } from '#api/types';
import { messageOf } from '#kernel';
import { ExitStatus, defineCommand, noArguments } from '../../command.ts';
import { string } from '../../flags/index.ts';
import { asMap } from '../../format/go-value.ts';
import { renderStruct } from '../../format/struct.ts';
import { tabulate } from '../../format/tabwriter.ts';
import type { ClientVersion } from './client-version.ts';
import { describeClient } from './client-version.ts';
import { formatUsage } from '../../format/usage.ts';

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
    const client = describeClient(context);
    let failure = answer.error;
    if (flags.format !== '') {
      const typeName = /\.Client\./.test(flags.format) ? 'system.clientVersion' : '*types.Version';
      const { text, error } = renderStruct(versionData(client, server), flags.format, {
        name: 'version',
        typeName,
      });
      context.out.write(text);
      failure ??= error;
    } else context.out.write(tabulate(describe(client, server), { minWidth: 20, padding: 1 }));
    if (failure !== undefined) throw new ExitStatus(1, failure);
  },
});

/** Both sides as templates see them; the engine's build time as people read it. */
function versionData(client: ClientVersion, server: SystemVersion | undefined): object {
  if (!server) return { Client: client, Server: null };
  const components = (server.Components ?? []).map((component) => {
    const details: Readonly<Record<string, string>> = component.Details ?? {};
    const built = component.Name === 'Engine' ? { BuildTime: builtAt(details['BuildTime']) } : {};
    return { ...component, Details: asMap({ ...details, ...built }) };
  });
  return { Client: client, Server: { ...server, Components: components } };
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
      BuildTime: server.BuildTime ?? '',
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
      `  Built:\t${builtAt(details['BuildTime'])}`,
      `  OS/Arch:\t${details['Os'] ?? ''}/${details['Arch'] ?? ''}`,
      `  Experimental:\t${details['Experimental'] ?? ''}`,
    ];
  });
}
