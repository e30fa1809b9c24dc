import { chmodSync, constants, ftruncateSync, writeSync } from 'node:fs';
import { errnoOf, invalidArgument } from '#kernel';
import {
  chownAt,
  close,
  linkAt,
  makeDevice,
  makeFolderAt,
  makeNodeAt,
  oPath,
  openAt,
  setTimesAt,
  setTimesFd,
  setXattr,
  symlinkAt,
  unlinkAt,
} from '#linux';
import { applyToFd, needsChmod, removeXattrs, writeXattrs, type Attributes } from './attributes.ts';
import { componentsOf } from './entry-path.ts';
import { opaqueXattr, type LowerView } from './lower-view.ts';
import { isWhiteout, linkPlaceIn, lstatIn, openFolderIn, removeTreeIn } from './places.ts';
import { RootedTree, type FolderWatcher, type OpenFolder } from './rooted-tree.ts';
import type { TarHeader } from '../tar/header.ts';

/** The stored bytes of the entry being unpacked, as views that are good until the next call. */
export interface Content {
  /** At least one and at most `limit` bytes. Throws invalidArgument if the archive ends before. */
  next(limit: number): Buffer;
}

export interface ExtractorOptions {
  readonly root: string;
  readonly path: string;
  /** The layers below, for attributes of folders the archive does not mention. */
  readonly lower: LowerView;
  /** The topmost entry (`./`) sets the attributes of the root itself. */
  readonly ownsRoot: boolean;
  readonly keepKinds: boolean;
  /**
   * A layer says all there is to say of a folder that it names, and of others nothing: those keep their times,
   * although their contents change.
   */
  readonly isLayer?: boolean;
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Called before each bigger step; throws to stop. */
  check(): void;
}

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const nodeTypes = { character: constants.S_IFCHR, block: constants.S_IFBLK, fifo: constants.S_IFIFO };

/**
 * Puts entries on disk under a root that nothing leaves, in any order, later entries replacing earlier ones.
 * Blocking: for worker threads. Folders get their times in finish(), since their contents change them.
 */
export class Extractor implements Disposable {
  readonly tree: RootedTree;
  readonly #options: ExtractorOptions;
  /** By inode: several names may lead to one folder. */
  readonly #folderTimes = new Map<bigint, { components: readonly string[]; mtime: bigint }>();

  constructor(options: ExtractorOptions) {
    this.#options = options;
    const watcher: FolderWatcher = (components, { inode, mtime, fresh }) => {
      if (fresh || !this.#folderTimes.has(inode)) this.#folderTimes.set(inode, { components, mtime });
    };
    const { root, path, lower } = options;
    this.tree = new RootedTree(root, path, lower, options.isLayer ? watcher : undefined);
  }

  add(header: TarHeader, content: Content): void {
    const components = componentsOf(header.name);
    const name = components.at(-1);
    if (name === undefined) {
      this.#addRoot(header);
      return;
    }
    if (header.type === 'folder') {
      this.#addFolder(header, components, name);
      return;
    }
    const parent = this.tree.ensure(components.slice(0, -1));
    if (header.type === 'hardlink') this.#addLink(header, components, parent, name);
    else if (header.type === 'file') this.#addFile(header, components, parent, name, content);
    else this.#addNode(header, components, parent, name);
  }

  /** Gives folders their times. */
  finish(): void {
    for (const [inode, { components, mtime }] of [...this.#folderTimes]) {
      try {
        const folder = this.tree.existing(components);
        if (folder.inode === inode) setTimesAt(folder.fd, '.', mtime, mtime);
      } catch (error) {
        const code = errnoOf(error);
        // The folder was replaced or deleted by a later entry.
        if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
      }
    }
    this.#folderTimes.clear();
  }

  [Symbol.dispose](): void {
    this.tree[Symbol.dispose]();
  }

  /** Removes what is at a name, if anything, minding the caller's wish to keep kinds. */
  clear(parent: OpenFolder, name: string, header: TarHeader): void {
    const stats = lstatIn(parent.fd, name);
    if (!stats) return;
    const isFolder = stats.isDirectory();
    if (this.#options.keepKinds && isFolder !== (header.type === 'folder')) {
      const [old, fresh] = isFolder ? ['directory', 'non-directory'] : ['non-directory', 'directory'];
      const path = `/${[...componentsOf(this.#options.path), ...componentsOf(header.name)].join('/')}`;
      throw invalidArgument(`cannot overwrite ${old} "${path}" with ${fresh} "${header.name}"`);
    }
    if (!isFolder) unlinkAt(parent.fd, name);
    else removeTreeIn(parent.fd, name, () => this.#options.check());
    if (isFolder || stats.isSymbolicLink()) this.tree.forget();
  }

  #attributes(header: TarHeader): Attributes {
    const { uid, gid } = this.#options.owner ?? header;
    return { uid: uid >>> 0, gid: gid >>> 0, mode: header.mode, xattrs: header.xattrs };
  }

  /** Makes something at a name, after removing what is there if need be. */
  #make<T>(
    components: readonly string[],
    parent: OpenFolder,
    name: string,
    header: TarHeader,
    make: (parent: OpenFolder) => T,
  ): T {
    try {
      return make(parent);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    this.clear(parent, name, header);
    return make(this.tree.ensure(components.slice(0, -1)));
  }

  #addRoot(header: TarHeader): void {
    if (header.type !== 'folder') {
      throw invalidArgument(
        `invalid archive: ${JSON.stringify(header.name)} would replace the folder it is unpacked to`,
      );
    }
    if (!this.#options.ownsRoot) return;
    const fd = openFolderIn(this.tree.existing([]).fd, '.');
    try {
      applyToFd(fd, this.#attributes(header), false);
    } finally {
      close(fd);
    }
    // What was known of the root, whether it hands down its group, may have changed.
    this.tree.forget();
    this.#folderTimes.set(this.tree.existing([]).inode, { components: [], mtime: header.mtime });
  }

  #addFolder(header: TarHeader, components: readonly string[], name: string): void {
    const parent = this.tree.ensure(components.slice(0, -1));
    const stats = this.#makeFolder(header, components, parent, name);
    const fd = openFolderIn(this.tree.ensure(components.slice(0, -1)).fd, name);
    try {
      if (stats === 'existing' && this.#options.isLayer) removeXattrs(`/proc/self/fd/${fd}/.`, header.xattrs);
      applyToFd(fd, this.#attributes(header), stats === 'fresh' && !parent.handsDownGroup);
      if (stats === 'hiding') setXattr(fd, opaqueXattr, Buffer.from('y'));
    } catch (error) {
      close(fd);
      throw error;
    }
    const folder = this.tree.adopt(components, fd);
    const place = this.#options.isLayer ? this.tree.placeOf(folder) : components;
    this.#folderTimes.set(folder.inode, { components: place, mtime: header.mtime });
  }

  #makeFolder(
    header: TarHeader,
    components: readonly string[],
    parent: OpenFolder,
    name: string,
  ): 'fresh' | 'existing' | 'hiding' {
    const make = (at: OpenFolder): 'fresh' => {
      makeFolderAt(at.fd, name, header.mode & 0o777);
      return 'fresh';
    };
    try {
      return make(parent);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    const stats = lstatIn(parent.fd, name);
    if (stats?.isDirectory()) return 'existing';
    if (stats && isWhiteout(stats)) {
      unlinkAt(parent.fd, name);
      make(parent);
      return 'hiding';
    }
    const below = this.tree.below(this.tree.placeOf(parent)).find(name);
    this.#make(components, this.tree.ensure(components.slice(0, -1)), name, header, make);
    // What stood here hid a folder below, and so must the new one.
    return below?.stats.isDirectory() ? 'hiding' : 'fresh';
  }

  #addFile(
    header: TarHeader,
    components: readonly string[],
    parent: OpenFolder,
    name: string,
    content: Content,
  ): void {
    const fd = this.#make(components, parent, name, header, (at) =>
      openAt(at.fd, name, createFlags, header.mode & 0o777),
    );
    try {
      this.#writeContent(fd, header, content);
      applyToFd(fd, this.#attributes(header), !parent.handsDownGroup);
      setTimesFd(fd, header.mtime, header.mtime);
    } finally {
      close(fd);
    }
  }

  #writeContent(fd: number, header: TarHeader, content: Content): void {
    const runs = header.sparse ?? [{ offset: 0, length: header.size }];
    if (header.sparse) ftruncateSync(fd, header.size);
    for (const { offset, length } of runs) {
      for (let at = 0; at < length;) {
        const part = content.next(length - at);
        const position = header.sparse ? offset + at : null;
        for (let written = 0; written < part.length;) {
          const place = position === null ? null : position + written;
          written += writeSync(fd, part, written, part.length - written, place);
        }
        at += part.length;
      }
    }
  }

  #addLink(header: TarHeader, components: readonly string[], first: OpenFolder, name: string): void {
    const target = componentsOf(header.linkName, header.name);
    if (target.join('/') === components.join('/')) return;
    const link = (parent: OpenFolder): void => {
      // The target must be there before anything at the new name is removed for it.
      const from = this.tree.existing(target.slice(0, -1));
      linkAt(from.fd, target.at(-1) ?? '.', parent.fd, name);
    };
    try {
      this.#make(components, first, name, header, link);
    } catch (error) {
      const code = errnoOf(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP' && code !== 'EPERM') throw error;
      throw invalidArgument(
        `invalid archive: the hard link ${JSON.stringify(header.name)} has no target ${JSON.stringify(header.linkName)}`,
        error,
      );
    }
  }

  #addNode(header: TarHeader, components: readonly string[], parent: OpenFolder, name: string): void {
    const { type } = header;
    const attributes = this.#attributes(header);
    this.#make(components, parent, name, header, ({ fd }) => {
      if (type === 'symlink') symlinkAt(header.linkName, fd, name);
      else if (type === 'character' || type === 'block' || type === 'fifo') {
        const device = makeDevice(header.deviceMajor, header.deviceMinor);
        makeNodeAt(fd, name, nodeTypes[type] | (header.mode & 0o777), device);
      }
    });
    const { fd } = this.tree.ensure(components.slice(0, -1));
    chownAt(fd, name, attributes.uid, attributes.gid);
    if (type !== 'symlink' && needsChmod(header.mode)) chmodInPlace(fd, name, header.mode);
    if (header.xattrs.size > 0) writeXattrs(linkPlaceIn(fd, name), header.xattrs);
    setTimesAt(fd, name, header.mtime, header.mtime);
  }
}

/** chmod(2) that cannot be led through a symbolic link which took the name's place meanwhile. */
function chmodInPlace(folder: number, name: string, mode: number): void {
  const fd = openAt(folder, name, oPath | constants.O_NOFOLLOW);
  try {
    chmodSync(`/proc/self/fd/${fd}`, mode);
  } finally {
    close(fd);
  }
}
