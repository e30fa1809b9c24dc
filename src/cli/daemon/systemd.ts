import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { daemonUnit } from './units.ts';

/** Where units of this machine's administrator lie. */
export const unitFolder = '/etc/systemd/system';

/** Whether this machine was booted with systemd (sd_booted(3)). */
export const hasSystemd = (): boolean => existsSync('/run/systemd/system');

/** Whether the engine is a service here. */
export const isEnabled = (): boolean => hasSystemd() && existsSync(join(unitFolder, daemonUnit));

/** Runs systemctl. Throws an error with what it says. */
export function systemctl(...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('systemctl', args, { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0)
    throw new Error(`systemctl ${args.join(' ')}: ${stderr.trim() || `exit ${status ?? ''}`}`);
}
