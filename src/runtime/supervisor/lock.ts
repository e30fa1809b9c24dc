import { openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tryLockFile } from '#linux';

const ATTEMPTS = 20;

/** Held by the supervisor as long as it lives, over replacements of its program too. */
export const lockPath = (runFolder: string): string => join(runFolder, 'supervisor.lock');

/** The lock's descriptor; undefined when another supervisor has it. */
export async function takeLock(runFolder: string): Promise<number | undefined> {
  const lock = openSync(lockPath(runFolder), 'w', 0o600);
  // A daemon that looks for a supervisor holds it for a moment.
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (tryLockFile(lock)) return lock;
    await delay(10);
  }
  return undefined;
}
