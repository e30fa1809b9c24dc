import { defineCommand, noArguments } from '../../command.ts';
import { printLine } from '../../context.ts';
import { bool } from '../../flags/index.ts';
import { programVersion } from '../../program-version.ts';

export const command = defineCommand({
  synopsis: '',
  summary: 'Show the version',
  arguments: noArguments,
  flags: { debug: bool('Show more', { short: 'D', hidden: true }) },
  run(context) {
    // Scripts look for a version with a `v`, and for the name of the plugin.
    printLine(context.out, `wharf/buildx v${programVersion} wharf`);
  },
});
