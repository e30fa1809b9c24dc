import { atLeast, defineCommand, ExitStatus } from '../../command.ts';
import { bool, string } from '../../flags/index.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] [REF...]',
  summary: 'Forget builds',
  arguments: atLeast(0),
  flags: {
    all: bool('All builds'),
    builder: string('Name of the builder; there is the default one only'),
    debug: bool('Show more', { short: 'D', hidden: true }),
  },
  async run(context, { flags, args }) {
    if (args.length === 0 && !flags.all) throw new ExitStatus(1, 'ERROR: rm requires at least one argument');
    if (args.length > 0 && flags.all)
      throw new ExitStatus(1, 'ERROR: rm requires either --all or at least one argument');
    const { findBuild, forget, listHistory } = await import('../../build/build-history.ts');
    const records = await listHistory(context);
    const refs = flags.all ? records.map(({ ref }) => ref) : args.map((each) => findBuild(records, each).ref);
    await forget(context, refs);
  },
});
