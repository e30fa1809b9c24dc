import { errnoOf, invalidArgument, notFound } from '#kernel';
import { close, openFolderUnder } from '#linux';
import { Extractor } from './extractor.ts';
import { FileContent, noContent } from './file-content.ts';
import { LowerView } from './lower-view.ts';
import { openRoot } from './pack-tree.ts';
import { lstatIn, openFolderIn } from './places.ts';
import { HardLinks, headerOf, openFileIn, walk, type Found } from './walk.ts';

/** Opens a folder under a root for reading. Throws notFound, and invalidArgument for what is no folder. */
export function openSource(root: string, path: string): number {
  const top = openRoot(root);
  try {
    const place = openFolderUnder(top, path);
    try {
      return openFolderIn(place, '.');
    } finally {
      close(place);
    }
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT') throw notFound(`no such folder: ${path}`, error);
    if (code === 'ENOTDIR') throw invalidArgument(`${path} is not a folder`, error);
    throw error;
  } finally {
    close(top);
  }
}

/** Copies the contents of a folder under a root, and the folder's own attributes, into a folder that exists. */
export function copyTree(
  { root, path, target }: { root: string; path: string; target: string },
  check: () => void,
): void {
  const source = openSource(root, path);
  const buffer = Buffer.allocUnsafeSlow(1 << 20);
  const links = new HardLinks();
  try {
    using sink = new Extractor({
      root: target,
      path: '',
      lower: new LowerView([]),
      ownsRoot: true,
      keepKinds: false,
      check,
    });
    const copy = (found: Found, name: string): boolean => {
      check();
      const header = headerOf(found, name, links, { nanoseconds: true });
      if (!header) return false;
      const fd = header.type === 'file' ? openFileIn(found)?.fd : undefined;
      if (header.type === 'file' && fd === undefined) return false;
      try {
        sink.add(header, fd === undefined ? noContent : new FileContent(fd, buffer));
      } finally {
        if (fd !== undefined) close(fd);
      }
      return header.type === 'folder';
    };
    const stats = lstatIn(source, '.');
    if (stats) copy({ folder: source, name: '.', stats }, './');
    walk(source, '', copy);
    sink.finish();
  } finally {
    close(source);
  }
}
