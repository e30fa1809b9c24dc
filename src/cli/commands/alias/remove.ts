import { lstatSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { defineCommand, noArguments } from '../../command.ts';
import { printLine } from '../../context.ts';
import { string } from '../../flags/index.ts';
import { isForeign } from './install.ts';
import { aliasTargets, defaultFolder } from './targets.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Remove the names docker and dockerd again',
  arguments: noArguments,
  flags: { dir: string('Folder to remove them from', { initial: defaultFolder }) },
  run(context, { flags }) {
    for (const [name, target] of aliasTargets()) {
      const place = join(flags.dir, name);
      if (!lstatSync(place, { throwIfNoEntry: false })) continue;
      if (isForeign(place, target)) throw new Error(`${place} is not ours and stays`);
      rmSync(place);
      printLine(context.out, `Removed ${place}`);
    }
  },
});
