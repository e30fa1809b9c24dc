import { dirname } from 'node:path';
import { constants } from 'node:fs';
import { errnoOf } from '#kernel';
import { atCwd, close, oPath, openAt } from '#linux';
import type { Extractor } from './extractor.ts';
import { FileContent, noContent } from './file-content.ts';
import { isOpaque, type LowerView } from './lower-view.ts';
import { isWhiteout, lstatIn, openFolderIn } from './places.ts';
import { HardLinks, headerOf, openFileIn } from './walk.ts';

const gone = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/** Whether the layer has, or has deleted, what is at this path. */
function isSettled({ tree }: Extractor, path: readonly string[]): boolean {
  for (let length = 1; length <= path.length; length += 1) {
    let folder: number;
    try {
      folder = tree.existing(path.slice(0, length - 1)).fd;
    } catch (error) {
      if (gone.has(errnoOf(error) ?? '')) return false;
      throw error;
    }
    const stats = lstatIn(folder, path[length - 1] ?? '');
    if (!stats) return false;
    if (!stats.isDirectory() || length === path.length) return true;
    const fd = openFolderIn(folder, path[length - 1] ?? '');
    try {
      if (isOpaque(fd)) return true;
    } finally {
      close(fd);
    }
  }
  return true;
}

/**
 * Brings a file of the layers below into the layer that is being unpacked, so that it can get a second name: a hard
 * link cannot span two layers. What the layer itself has at that path, or what is no file below, stays as it is.
 */
export function copyUp(extractor: Extractor, lower: LowerView, path: readonly string[]): void {
  if (lower.isEmpty || isSettled(extractor, path)) return;
  const name = path.at(-1) ?? '';
  const found = lower.at(path.slice(0, -1)).find(name);
  if (!found || found.stats.isDirectory() || isWhiteout(found.stats)) return;
  const folder = openAt(atCwd, dirname(found.path), oPath | constants.O_DIRECTORY);
  try {
    const source = { folder, name, stats: found.stats };
    const header = headerOf(source, path.join('/'), new HardLinks(), { nanoseconds: true });
    if (!header) return;
    const fd = header.type === 'file' ? openFileIn(source)?.fd : undefined;
    try {
      const content = fd === undefined ? noContent : new FileContent(fd, Buffer.allocUnsafeSlow(1 << 20));
      extractor.add(header, content);
    } finally {
      if (fd !== undefined) close(fd);
    }
  } finally {
    close(folder);
  }
}
