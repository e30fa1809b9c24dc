import { defineCommand, noArguments } from '../../command.ts';
import { bool, string } from '../../flags/index.ts';
import { optionsOf, runRegistryProgram } from './registry-program.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Apply retention rules and collect garbage, in a registry that is being served',
  arguments: noArguments,
  flags: {
    all: bool('Also show the tags that stay, and why'),
    'dry-run': bool('Say what would go and why, and change nothing'),
    format: string("'table' or 'json'", { initial: 'table' }),
    grace: string('Minutes for which what no manifest needs is kept, instead of --gc-grace'),
    root: string('Folder of the registry', { initial: '/var/lib/wharf-registry' }),
    untagged: bool('Also collect manifests that no tag, index or subject keeps'),
  },
  async run(_context, { flags, changed }) {
    await runRegistryProgram(['gc', ...optionsOf(flags, changed)]);
  },
});
