import { atMost, defineCommand } from '../../command.ts';
import { bool, string } from '../../flags/index.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] [REF]',
  summary: 'Show what a build has told, the latest by default',
  arguments: atMost(1),
  flags: {
    builder: string('Name of the builder; there is the default one only'),
    debug: bool('Show more', { short: 'D', hidden: true }),
    progress: string('How it is shown: plain or rawjson', { initial: 'plain' }),
  },
  async run(context, { flags, args: [reference] }) {
    const { progress } = flags;
    if (progress !== 'plain' && progress !== 'rawjson')
      throw new Error(`unsupported progress mode ${progress}`);
    const { findBuild, listHistory, replay } = await import('../../build/build-history.ts');
    await replay(context, findBuild(await listHistory(context), reference).ref, progress);
  },
});
