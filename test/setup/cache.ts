import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** What is downloaded or made once and kept between runs; outside the clone, safe to remove at any time. */
export const cacheFolder = (): string =>
  process.env['WHARF_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'wharf');

/**
 * The path of a file or folder in the cache, made by `make` when it is missing. Whole or not there: two processes
 * may both make it, the first to finish wins.
 */
export async function cached(name: string, make: (path: string) => Promise<void>): Promise<string> {
  const path = join(cacheFolder(), name);
  if (existsSync(path)) return path;
  await mkdir(dirname(path), { recursive: true });
  const temp = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await make(temp);
    if (!existsSync(path)) await rename(temp, path);
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
  return path;
}
