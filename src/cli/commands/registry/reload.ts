import { defineCommand, noArguments } from '../../command.ts';
import { string } from '../../flags/index.ts';
import { optionsOf, runRegistryProgram } from './registry-program.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Make a registry read its rules, users and certificates again',
  arguments: noArguments,
  flags: { root: string('Folder of the registry', { initial: '/var/lib/wharf-registry' }) },
  async run(_context, { flags, changed }) {
    await runRegistryProgram(['reload', ...optionsOf(flags, changed)]);
  },
});
