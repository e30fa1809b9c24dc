import { constants, type Dirent } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '#kernel';
import { isSuspicious, leakOf, lookedAt, type Leak } from './key-files.ts';

/** Folders of packages: what is there is everybody's, examples and tests of keys among it. */
const packageFolders =
  /^(?:usr\/(?:lib|share|src|include)|lib|lib64|proc|sys|dev|var\/(?:lib|cache)|root\/\.cache)$|(?:^|\/)(?:node_modules|site-packages|dist-packages|vendor|\.git|\.cargo\/registry|pkg\/mod|\.m2\/repository)$/;

/** The most entries of one layer that are looked at, and the most leaks that are told of. */
const mostEntries = 100_000;
const mostLeaks = 20;

/** Looks through the files that a layer adds, below `root`: a tree that nobody changes any more. */
export async function layerLeaks(
  root: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly Leak[]> {
  const leaks: Leak[] = [];
  const folders = [''];
  let entries = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal.throwIfAborted();
    for (const entry of await listed(join(root, folder))) {
      entries += 1;
      if (entries > mostEntries || leaks.length >= mostLeaks) return leaks;
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !packageFolders.test(path)) folders.push(path);
      if (!entry.isFile() || !isSuspicious(path)) continue;
      const leak = leakOf(path, await beginningOf(join(root, path)));
      if (leak) leaks.push(leak);
    }
  }
  return leaks.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function listed(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function beginningOf(path: string): Promise<string> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(lookedAt), 0, lookedAt, 0);
  return buffer.toString('latin1', 0, bytesRead);
}
