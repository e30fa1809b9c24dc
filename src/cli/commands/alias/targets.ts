import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export const defaultFolder = '/usr/local/bin';

/** The names and the programs that they stand for; dockerd only where the engine lies beside this program. */
export function aliasTargets(): readonly (readonly [string, string])[] {
  const here = dirname(process.execPath);
  const clone = resolve(here, '..');
  // The executable itself, not the clone's launcher, which would hide the name that it was called by.
  const client = process.execPath;
  const daemon = [join(clone, 'wharfd'), join(here, 'wharfd')].find((path) => existsSync(path));
  return [['docker', client] as const, ...(daemon === undefined ? [] : [['dockerd', daemon] as const])];
}
