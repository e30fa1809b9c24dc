import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { defineCommand, noArguments } from '../../command.ts';
import { printLine } from '../../context.ts';
import { isEnabled, systemctl, unitFolder } from '../../daemon/systemd.ts';
import { daemonUnit, supervisorUnit } from '../../daemon/units.ts';

export const command = defineCommand({
  synopsis: '',
  summary: 'Remove the engine from the services that start with the machine',
  description:
    'Stop the engine and remove it from the services that start with the machine; containers run on',
  arguments: noArguments,
  flags: {},
  run(context) {
    if (!isEnabled()) {
      printLine(context.out, 'The engine is no service of this machine.');
      return;
    }
    systemctl('disable', '--now', daemonUnit);
    for (const name of [daemonUnit, supervisorUnit]) {
      const file = join(unitFolder, name);
      if (!existsSync(file)) continue;
      rmSync(file);
      printLine(context.out, `Removed ${file}`);
    }
    systemctl('daemon-reload');
  },
});
