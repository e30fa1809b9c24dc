import type { Volume } from '#api/types';
import { atMost, defineCommand } from '../../command.ts';
import { printLine } from '../../context.ts';
import { labelWord, list, map, string } from '../../flags/index.ts';
import { pairs } from '../pairs.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS] [VOLUME]',
  summary: 'Create a volume',
  arguments: atMost(1),
  flags: {
    driver: string('Driver of the volume', { short: 'd', initial: 'local' }),
    label: list('Label, name=value', { check: labelWord }),
    name: string('Name of the volume', { hidden: true }),
    opt: map('Option of the driver', { short: 'o' }),
  },
  async run(context, { flags, args: [name] }) {
    if (name !== undefined && flags.name !== '') {
      throw new Error(
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
      );
    }
    const volume = await context.engine.json<Volume>({
      method: 'POST',
      path: '/volumes/create',
      json: {
        Name: name ?? flags.name,
        Driver: flags.driver,
        DriverOpts: flags.opt,
        Labels: pairs(flags.label),
      },
    });
    printLine(context.out, volume.Name);
  },
});
