import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atLeast, defineCommand } from '../../command.ts';
import { printLine } from '../../context.ts';
import { findDaemon } from '../../daemon/find-daemon.ts';
import { defaultPlaces, stopDaemon } from '../../daemon/lifecycle.ts';
import { hasSystemd, systemctl, unitFolder } from '../../daemon/systemd.ts';
import { daemonUnit, unitFiles } from '../../daemon/units.ts';

export const command = defineCommand({
  synopsis: '[-- OPTIONS OF wharfd]',
  summary: 'Make the engine a service that starts with the machine',
  arguments: atLeast(0),
  stopsAtArgument: true,
  flags: {},
  async run(context, { args }) {
    const daemon = findDaemon(context.env);
    if (!hasSystemd()) {
      throw new Error(
        `this machine was not booted with systemd: have its service manager run: ${daemon.join(' ')}`,
      );
    }
    const files = unitFiles({ command: daemon, args, pidFile: defaultPlaces.pidFile });
    mkdirSync(unitFolder, { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(unitFolder, name), text);
      printLine(context.out, `Wrote ${join(unitFolder, name)}`);
    }
    systemctl('daemon-reload');
    systemctl('enable', daemonUnit);
    // An engine that somebody started by hand makes room; containers run on meanwhile.
    await stopDaemon(defaultPlaces);
    systemctl('restart', daemonUnit);
    printLine(context.out, `${daemonUnit} runs, and starts with the machine from now on.`);
  },
});
