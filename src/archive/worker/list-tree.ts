import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { errnoOf, notFound } from '#kernel';
import { close, openFolderUnder } from '#linux';
import type { ListedEntry } from '../archiver.ts';
import { openRoot } from './pack-tree.ts';
import { lstatIn, openFolderIn } from './places.ts';
import { HardLinks, headerOf, openFileIn, walk, type Found } from './walk.ts';

/**
 * Everything in a folder under a root, sorted by name, a folder before its contents; names are relative to the folder,
 * which comes first as `.`. Throws notFound.
 */
export function listTree(
  { root, path, digests, depth }: { root: string; path: string; digests: boolean; depth: number },
  check: () => void,
): readonly ListedEntry[] {
  const entries: ListedEntry[] = [];
  const links = new HardLinks();
  const buffer = Buffer.allocUnsafeSlow(1 << 20);
  const add = (found: Found, name: string): boolean => {
    check();
    const header = headerOf(found, name, links, { nanoseconds: true });
    if (!header) return false;
    const sha256 = digests && header.type === 'file' ? digestOf(found, buffer) : undefined;
    entries.push(sha256 === undefined ? { header } : { header, sha256 });
    return header.type === 'folder' && name.split('/').length < depth;
  };
  const folder = openFolder(root, path);
  try {
    const stats = lstatIn(folder, '.');
    if (stats) add({ folder, name: '.', stats }, '.');
    walk(folder, '', add);
  } finally {
    close(folder);
  }
  return entries;
}

function openFolder(root: string, path: string): number {
  const top = openRoot(root);
  try {
    const place = openFolderUnder(top, path);
    try {
      return openFolderIn(place, '.');
    } finally {
      close(place);
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') {
      throw notFound(`no such folder: ${path}`, error);
    }
    throw error;
  } finally {
    close(top);
  }
}

function digestOf(found: Found, buffer: Buffer): string | undefined {
  const fd = openFileIn(found);
  if (fd === undefined) return undefined;
  try {
    const hash = createHash('sha256');
    for (;;) {
      const length = readSync(fd, buffer, 0, buffer.length, null);
      if (length === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, length));
    }
  } finally {
    close(fd);
  }
}
