import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './errors.ts';

/**
 * `mkdir -p` for paths that users give. Node's own recursive mkdir never ends where the kernel answers ENOENT
 * although the parent is there, as it does under /proc. Throws the error of the first folder that cannot be made.
 */
export async function makeFolders(path: string, mode: number): Promise<void> {
  try {
    await makeFolder(path, mode);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolders(dirname(path), mode);
    await makeFolder(path, mode);
  }
}

async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    const there = errnoOf(error) === 'EEXIST' ? await stat(path).catch(() => undefined) : undefined;
    if (!there?.isDirectory()) throw error;
  }
}
