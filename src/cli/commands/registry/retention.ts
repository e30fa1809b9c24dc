import { atLeast, defineCommand } from '../../command.ts';
import { bool, string } from '../../flags/index.ts';
import { optionsOf, runRegistryProgram } from './registry-program.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] [REPOSITORY...]',
  summary: 'Apply retention rules, in a registry that is being served',
  description:
    'Apply retention rules, in a registry that is being served.\nRepositories are names or patterns; without one all are meant.',
  arguments: atLeast(0),
  flags: {
    all: bool('Also show the tags that stay, and why'),
    'dry-run': bool('Say what would go and why, and change nothing'),
    format: string("'table' or 'json'", { initial: 'table' }),
    root: string('Folder of the registry', { initial: '/var/lib/wharf-registry' }),
  },
  async run(_context, { flags, changed, args }) {
    await runRegistryProgram(['retention', ...optionsOf(flags, changed), '--', ...args]);
  },
});
