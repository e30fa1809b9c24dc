import { defineCommand, noArguments } from '../../command.ts';
import { string } from '../../flags/index.ts';
import { optionsOf, runRegistryProgram } from './registry-program.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Show what the repositories of a registry hold, and their quotas',
  arguments: noArguments,
  flags: {
    format: string("'table' or 'json'", { initial: 'table' }),
    root: string('Folder of the registry', { initial: '/var/lib/wharf-registry' }),
  },
  async run(_context, { flags, changed }) {
    await runRegistryProgram(['df', ...optionsOf(flags, changed)]);
  },
});
