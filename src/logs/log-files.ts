import { existsSync } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { errnoOf } from '#kernel';
import { rotatedPath } from './log-file.ts';

const ATTEMPTS = 10;

/** Opens a log's files, oldest first, as one moment had them although their writer may rotate meanwhile. */
export async function openLogFiles(path: string): Promise<FileHandle[]> {
  for (let attempt = 1; ; attempt += 1) {
    const handles: FileHandle[] = [];
    try {
      let age = 0;
      while (existsSync(rotatedPath(path, age + 1))) age += 1;
      for (; age >= 0; age -= 1) {
        const handle = await openIfThere(rotatedPath(path, age));
        if (handle) handles.push(handle);
      }
      const inodes = await Promise.all(handles.map(async (handle) => (await handle.stat()).ino));
      const newest = await inodeOf(path);
      const steady = newest === inodes.at(-1) && new Set(inodes).size === inodes.length;
      if (steady || attempt === ATTEMPTS) return handles;
    } catch (error) {
      await closeAll(handles);
      throw error;
    }
    await closeAll(handles);
  }
}

/** The file that follows an open one after rotations; undefined while it is the newest. The caller closes it. */
export async function openSuccessor(path: string, current: FileHandle): Promise<FileHandle | undefined> {
  const { ino } = await current.stat();
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    if ((await inodeOf(path)) === ino) return undefined;
    const age = await successorAge(path, ino);
    if (age === undefined) return undefined;
    const next = await openIfThere(rotatedPath(path, age));
    if (!next) continue;
    // The name may have moved on between the look and the open.
    if ((await successorAge(path, ino)) === age) return next;
    await next.close();
  }
  return undefined;
}

export async function closeAll(handles: readonly FileHandle[]): Promise<void> {
  await Promise.all(handles.map((handle) => handle.close()));
}

/** Age of the file after the one with this inode; of the oldest one when that is gone; undefined without files. */
async function successorAge(path: string, inode: number): Promise<number | undefined> {
  let age = 0;
  for (; ; age += 1) {
    const found = await inodeOf(rotatedPath(path, age));
    if (found === undefined) break;
    if (found === inode) return age - 1;
  }
  return age === 0 ? undefined : age - 1;
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
