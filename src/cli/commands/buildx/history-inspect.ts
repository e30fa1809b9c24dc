import { atMost, defineCommand } from '../../command.ts';
import { bool, string } from '../../flags/index.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] [REF]',
  summary: 'Show what is known of a build, the latest by default',
  arguments: atMost(1),
  flags: {
    builder: string('Name of the builder; there is the default one only'),
    debug: bool('Show more', { short: 'D', hidden: true }),
  },
  async run(context, { args: [reference] }) {
    const { describeBuild, findBuild, listHistory } = await import('../../build/build-history.ts');
    const record = findBuild(await listHistory(context), reference);
    context.out.write(describeBuild(record, context.now()));
  },
});
