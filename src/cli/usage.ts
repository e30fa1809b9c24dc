import type { Command } from './command.ts';
import { describeFlags } from './flags/help.ts';
import type { FlagSet } from './flags/index.ts';
import type { Entry } from './entry.ts';
import { commonCommands, groups, plainCommands } from './tree.ts';

/** `Usage:  docker ps [OPTIONS]`, with further lines for commands of several forms. */
export function usageLine(path: string, command: Pick<Command, 'synopsis' | 'synopses'>): string {
  const forms = [command.synopsis, ...(command.synopses ?? [])].map((form) => `${path} ${form}`.trimEnd());
  return `Usage:  ${forms.join('\n\t')}`;
}

/** The help text of one command. */
export function commandHelp(program: string, path: string, command: Command, width: number): string {
  const parts = [usageLine(path, command), '', command.description ?? command.summary];
  if (command.aliases && command.aliases.length > 1) {
    parts.push('', 'Aliases:', `  ${command.aliases.map((alias) => `${program} ${alias}`).join(', ')}`);
  }
  const options = describeFlags(command.flags, width - 1);
  if (options !== '') parts.push('', 'Options:', options);
  return `${parts.join('\n')}\n`;
}

function listed(entries: Readonly<Record<string, Entry>>, sorted = true): string {
  const rows = Object.entries(entries).filter(([, entry]) => entry.hidden !== true);
  if (sorted) rows.sort(([a], [b]) => (a < b ? -1 : 1));
  return rows.map(([name, entry]) => `  ${name.padEnd(11)} ${entry.summary}`).join('\n');
}

/** The help text of a group such as `container`. */
export const groupHelp = (path: string, entry: Entry): string =>
  `Usage:  ${path} COMMAND\n\n${entry.summary}\n\nCommands:\n${listed(entry.entries ?? {})}\n\n` +
  `Run '${path} COMMAND --help' for more information on a command.\n`;

/** The program's own help text. */
export function programHelp(program: string, globals: FlagSet, width: number): string {
  return [
    `Usage:  ${program} [OPTIONS] COMMAND`,
    '',
    'Runs containers, and everything around them',
    '',
    'Common Commands:',
    listed(commonCommands, false),
    '',
    'Management Commands:',
    listed(groups),
    '',
    'Commands:',
    listed(plainCommands),
    '',
    'Global Options:',
    describeFlags(globals, width - 1),
    '',
    `Run '${program} COMMAND --help' for more information on a command.`,
    '',
  ].join('\n');
}
