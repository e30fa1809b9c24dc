import { constants } from 'node:fs';
import { errnoOf, notFound } from '#kernel';
import { atCwd, close, openAt } from '#linux';
import { tarHeader } from '../tar/header.ts';
import { clampedComponents } from './entry-path.ts';
import type { Job } from './jobs.ts';
import { LowerView, isOpaque } from './lower-view.ts';
import { opaqueName, whiteoutPrefix } from './layer-extractor.ts';
import { isWhiteout, kindsIn, lstatIn, openFolderIn } from './places.ts';
import { RootedTree } from './rooted-tree.ts';
import type { TarOutput } from './tar-output.ts';
import type { Change } from '../archiver.ts';
import { HardLinks, headerOf, walk, type Found } from './walk.ts';

/** Opens a folder on the host for reading. */
export const openRoot = (path: string): number =>
  openAt(atCwd, path, constants.O_RDONLY | constants.O_DIRECTORY);

function addFound(output: TarOutput, found: Found, path: string, links: HardLinks, mtime?: bigint): boolean {
  const own = headerOf(found, path, links);
  if (!own) return false;
  const header = mtime === undefined ? own : { ...own, mtime };
  if (header.type === 'file') output.addFile(header, found);
  else output.addHeader(header);
  return header.type === 'folder';
}

const noSuchFile = (path: string, cause?: unknown): Error =>
  notFound(`no such file or folder: ${path}`, cause);

function openParent(tree: RootedTree, components: readonly string[], path: string): number {
  try {
    return tree.existing(components).fd;
  } catch (error) {
    const code = errnoOf(error);
    throw code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' ? noSuchFile(path, error) : error;
  }
}

/** Writes a file or folder under a root as it is. Throws notFound. */
export function packTree(
  output: TarOutput,
  { root, path, name, mtime }: Omit<Extract<Job, { kind: 'pack' }>, 'kind'>,
): void {
  const components = clampedComponents(path);
  using tree = new RootedTree(root, '', new LowerView([]));
  const links = new HardLinks();
  const last = components.at(-1);
  const top = name ?? last ?? '.';
  // A slash at the end asks for what a link leads to.
  const follows = /\/\.?$/.test(path);
  const folder = openParent(tree, follows ? components : components.slice(0, -1), path);
  const own = follows ? '.' : (last ?? '.');
  const stats = lstatIn(folder, own);
  if (!stats) throw noSuchFile(path);
  const found = { folder, name: own, stats };
  if (top !== '' && !addFound(output, found, top === '.' ? './' : top, links, mtime)) return;
  const fd = openFolderIn(folder, found.name);
  try {
    walk(fd, top, (child, childPath) => addFound(output, child, childPath, links, mtime));
  } finally {
    close(fd);
  }
}

/** Deleted names first, so that what a folder loses stands before what it gains. */
function splitNames(folder: number): { whiteouts: string[]; names: string[] } {
  const whiteouts: string[] = [];
  const names: string[] = [];
  for (const { name, isDevice } of kindsIn(folder)) {
    const stats = isDevice ? lstatIn(folder, name) : undefined;
    (stats && isWhiteout(stats) ? whiteouts : names).push(name);
  }
  return { whiteouts, names };
}

const whiteout = (folder: string, name: string): ReturnType<typeof tarHeader> =>
  tarHeader({ name: `${folder === '' ? '' : `${folder}/`}${whiteoutPrefix}${name}`, mode: 0o600 });

/** Writes an overlay's upper folder as an OCI layer: its marks of deletion become whiteout entries. */
export function packUpper(output: TarOutput, upper: string): void {
  const links = new HardLinks();
  const visitFolder = (fd: number, path: string): void => {
    const { whiteouts, names } = splitNames(fd);
    if (isOpaque(fd))
      output.addHeader(tarHeader({ name: path === '' ? opaqueName : `${path}/${opaqueName}`, mode: 0o755 }));
    for (const name of whiteouts) output.addHeader(whiteout(path, name));
    for (const name of names) {
      // One name at a time: folders are entered by ourselves, for their own whiteouts.
      walk(
        fd,
        path,
        (found, child) => {
          if (!addFound(output, found, child, links)) return false;
          const below = openFolderIn(fd, name);
          try {
            visitFolder(below, child);
          } finally {
            close(below);
          }
          return false;
        },
        [name],
      );
    }
  };
  const root = openRoot(upper);
  try {
    visitFolder(root, '');
  } finally {
    close(root);
  }
}

/** Writes the changes of a tree that started as a full copy of another, as an OCI layer. */
export function packChanges(output: TarOutput, root: string, changes: readonly Change[]): void {
  using tree = new RootedTree(root, '', new LowerView([]));
  const links = new HardLinks();
  for (const { path, kind } of changes) {
    const components = clampedComponents(path);
    const name = components.at(-1) ?? '';
    const parents = components.slice(0, -1);
    if (kind === 'deleted') {
      output.addHeader(whiteout(parents.join('/'), name));
      continue;
    }
    const folder = tree.existing(parents).fd;
    const stats = lstatIn(folder, name);
    if (stats) addFound(output, { folder, name, stats }, components.join('/'), links);
  }
}
