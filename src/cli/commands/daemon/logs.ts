import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync, watch } from 'node:fs';
import { ExitStatus, defineCommand, noArguments } from '../../command.ts';
import { defaultPlaces } from '../../daemon/lifecycle.ts';
import { isEnabled } from '../../daemon/systemd.ts';
import { daemonUnit, supervisorUnit } from '../../daemon/units.ts';
import { bool } from '../../flags/index.ts';

export const command = defineCommand({
  synopsis: '[OPTIONS]',
  summary: "Show the engine's log",
  arguments: noArguments,
  flags: { follow: bool('Go on as more is written', { short: 'f' }) },
  async run(context, { flags }) {
    const { logFile } = defaultPlaces;
    if (isEnabled()) {
      const units = [daemonUnit, supervisorUnit].flatMap((unit) => ['--unit', unit]);
      const args = ['--no-pager', ...units, ...(flags.follow ? ['--follow'] : [])];
      const { status, error } = spawnSync('journalctl', args, { stdio: ['ignore', 'inherit', 'inherit'] });
      if (error) throw error;
      if (status !== 0) throw new ExitStatus(status ?? 1);
      return;
    }
    if (!existsSync(logFile)) throw new Error(`there is no log yet at ${logFile}`);
    const file = openSync(logFile, 'r');
    const buffer = Buffer.alloc(1 << 16);
    const drain = (): void => {
      for (;;) {
        const size = readSync(file, buffer, 0, buffer.length, null);
        if (size === 0) return;
        context.out.write(buffer.subarray(0, size));
      }
    };
    try {
      drain();
      if (!flags.follow) return;
      await new Promise<never>((_, reject) => {
        watch(logFile, () => {
          try {
            drain();
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        });
      });
    } finally {
      closeSync(file);
    }
  },
});
