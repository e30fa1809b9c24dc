import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { close } from '#linux';
import type { ListedEntry } from '../archiver.ts';
import { openSource } from './copy-tree.ts';
import { lstatIn } from './places.ts';
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
  const folder = openSource(root, path);
  try {
    const stats = lstatIn(folder, '.');
    if (stats) add({ folder, name: '.', stats }, '.');
    walk(folder, '', add);
  } finally {
    close(folder);
  }
  return entries;
}

function digestOf(found: Found, buffer: Buffer): string | undefined {
  const fd = openFileIn(found)?.fd;
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
