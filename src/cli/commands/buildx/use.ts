import { defineCommand, exactly } from '../../command.ts';
import { bool, string } from '../../flags/index.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] NAME',
  summary: 'Choose the builder; there is the default one only',
  arguments: exactly(1),
  flags: {
    builder: string('Name of the builder', { hidden: true }),
    debug: bool('Show more', { short: 'D', hidden: true }),
    default: bool('For this context'),
    global: bool('For all contexts'),
  },
  async run(context, { args: [name = ''] }) {
    const { onlyDefault } = await import('../../build/builder-nodes.ts');
    if (name !== context.contextName) onlyDefault(name, context.config.folder);
  },
});
