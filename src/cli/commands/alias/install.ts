import { lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { defineCommand, noArguments } from '../../command.ts';
import { printLine } from '../../context.ts';
import { bool, string } from '../../flags/index.ts';
import { aliasTargets, defaultFolder } from './targets.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: 'Add the names docker and dockerd for these programs',
  arguments: noArguments,
  flags: {
    dir: string('Folder to add them to', { initial: defaultFolder }),
    force: bool('Replace files that have these names', { short: 'f' }),
  },
  run(context, { flags }) {
    mkdirSync(flags.dir, { recursive: true });
    const targets = aliasTargets();
    // All or nothing: look at every place before any is changed.
    for (const [name, target] of targets) {
      const place = join(flags.dir, name);
      if (!flags.force && isForeign(place, target)) {
        throw new Error(`${place} exists and is not ours; use --force to replace it`);
      }
    }
    for (const [name, target] of targets) {
      const place = join(flags.dir, name);
      rmSync(place, { force: true });
      symlinkSync(target, place);
      printLine(context.out, `${place} -> ${target}`);
    }
  },
});

/** Whether something else than a link to one of our programs lies at the place. */
export function isForeign(place: string, target: string): boolean {
  const stat = lstatSync(place, { throwIfNoEntry: false });
  if (!stat) return false;
  if (!stat.isSymbolicLink()) return true;
  const leads = resolve(dirname(place), readlinkSync(place));
  return leads !== target && !/^wharfd?$/.test(basename(leads));
}
