import type { ListedEntry, PlacedEntry, TarHeader } from '#archive';
import { tarHeader } from '#archive';
import { cleanPath, invalidArgument } from '#kernel';
import type { Tree, TreeEntry } from '../contexts/tree.ts';
import { rangeOf } from './file-range.ts';

/** Something that can be copied: what it is, where its contents are, and what they are if that is known. */
export interface SourceEntry {
  /** The name is relative to the source's root. */
  readonly header: TarHeader;
  readonly from: PlacedEntry['from'];
  /** SHA-256 of a file's contents, in hexadecimal; '' where it is not known or there are none. */
  readonly digest: string;
}

/** Files to copy from, by their path relative to the root, folders before what is in them; the root itself is `''`. */
export type SourceTree = ReadonlyMap<string, SourceEntry>;

const rootEntry: SourceEntry = {
  header: tarHeader({ name: '', type: 'folder', mode: 0o755 }),
  from: undefined,
  digest: '',
};

const types = {
  file: 'file',
  'hard-link': 'hardlink',
  directory: 'folder',
  symlink: 'symlink',
  fifo: 'fifo',
  character: 'character',
  block: 'block',
} as const;

/** What a client has sent; `files` is the store's folder. Sockets are left out. */
export function sourceOfContext(tree: Tree, files: string): SourceTree {
  const entries = new Map([['', rootEntry]]);
  for (const entry of tree.values()) {
    if (entry.type === 'socket') continue;
    entries.set(entry.path, {
      header: headerOf(entry, types[entry.type]),
      from: entry.stored && rangeOf(entry.stored, entry.size, files),
      digest: entry.digest,
    });
  }
  return entries;
}

const headerOf = (entry: TreeEntry, type: TarHeader['type']): TarHeader =>
  tarHeader({
    name: entry.path,
    type,
    linkName: entry.linkname,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: type === 'file' ? entry.size : 0,
    mtime: entry.modTime,
    deviceMajor: entry.devmajor,
    deviceMinor: entry.devminor,
    xattrs: entry.xattrs,
  });

/** A mounted file system, listed from its root on. */
export function sourceOfFolder(root: string, listed: readonly ListedEntry[]): SourceTree {
  return new Map(
    listed.map(({ header, sha256 = '' }) => {
      const path = header.name === '.' ? '' : header.name;
      const from = header.type === 'file' ? { root, path } : undefined;
      return [path, { header: { ...header, name: path }, from, digest: sha256 }];
    }),
  );
}

/** What is in a folder, by its path from there. Throws invalidArgument for a path that is none. */
export function sourceBelow(source: SourceTree, folder: string): SourceTree {
  const path = cleanPath(`/${folder}`).slice(1);
  if (path === '') return source;
  if (source.get(path)?.header.type !== 'folder') throw invalidArgument(`${folder} is no folder`);
  const below = new Map([['', rootEntry]]);
  const inside = (name: string): string => name.slice(path.length + 1);
  for (const [name, entry] of source) {
    if (!name.startsWith(`${path}/`)) continue;
    const { header } = entry;
    const linkName = header.type === 'hardlink' ? inside(header.linkName) : header.linkName;
    below.set(inside(name), { ...entry, header: { ...header, name: inside(name), linkName } });
  }
  return below;
}

const maximumLinks = 40;

/** Where a path leads inside the source's root; undefined where it leads nowhere. */
export function resolveLinks(source: SourceTree, path: string): string | undefined {
  let rest = path.split('/').filter((part) => part !== '');
  let done: string[] = [];
  for (let links = 0; rest.length > 0;) {
    const [name = '', ...after] = rest;
    if (name === '.' || name === '..') {
      if (name === '..') done = done.slice(0, -1);
      rest = after;
      continue;
    }
    const entry = source.get([...done, name].join('/'));
    if (!entry) return undefined;
    if (entry.header.type !== 'symlink') {
      done = [...done, name];
      rest = after;
      continue;
    }
    links += 1;
    if (links > maximumLinks) return undefined;
    const { linkName } = entry.header;
    if (linkName.startsWith('/')) done = [];
    rest = [...linkName.split('/').filter((part) => part !== ''), ...after];
  }
  return done.join('/');
}
