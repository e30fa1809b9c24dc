import { constants, fstatSync, readlinkSync } from 'node:fs';
import { errnoOf, invalidArgument, pathFromBytes } from '#kernel';
import {
  atCwd,
  close,
  makeFolderAt,
  oPath,
  openAt,
  openFolderUnder,
  readLinkAt,
  setTimesFd,
  setXattr,
  unlinkAt,
} from '#linux';
import { applyToFd, permissionsOf, readXattrs } from './attributes.ts';
import { clampedComponents } from './entry-path.ts';
import { isOpaque, LowerView, opaqueXattr } from './lower-view.ts';
import { isWhiteout, lstatIn, openFolderIn } from './places.ts';

/** An open folder and whether new files in it inherit its group. */
export interface OpenFolder {
  readonly fd: number;
  readonly handsDownGroup: boolean;
  readonly inode: bigint;
}

/** Told of every folder when it is opened, before anything is done in it. `fresh`: it was just made. */
export type FolderWatcher = (
  components: readonly string[],
  folder: { readonly inode: bigint; readonly mtime: bigint; readonly fresh: boolean },
) => void;

const maximumOpen = 64;
const maximumLinks = 40;

/**
 * The folders under a root, opened so that no link or `..` leads out of it (openat2(2) RESOLVE_IN_ROOT), made
 * when they are missing, and kept open while they are in use.
 */
export class RootedTree implements Disposable {
  readonly #root: number;
  readonly #lower: LowerView;
  readonly #open = new Map<string, OpenFolder>();
  readonly #watcher: FolderWatcher | undefined;

  /** `lower` is what lies below, in layers: folders made on the way take their attributes from there. */
  constructor(root: string, path: string, lower: LowerView, watcher?: FolderWatcher) {
    const top = openAt(atCwd, root, oPath | constants.O_DIRECTORY);
    try {
      this.#root = openFolderUnder(top, path);
    } finally {
      close(top);
    }
    this.#lower = lower;
    this.#watcher = watcher;
  }

  /** Where an open folder lies under the root, whatever links led to it. */
  placeOf({ fd }: OpenFolder): string[] {
    const pathOf = (each: number): string =>
      pathFromBytes(readlinkSync(`/proc/self/fd/${each}`, { encoding: 'buffer' }));
    return pathOf(fd)
      .slice(pathOf(this.#root).length)
      .split('/')
      .filter((part) => part !== '');
  }

  /** What the layers below show in a place: nothing if a folder on the way there hides all below. */
  below(place: readonly string[]): LowerView {
    if (this.#lower.isEmpty) return this.#lower;
    const isHidden = place.some((_, n) => {
      try {
        return isOpaque(`/proc/self/fd/${this.existing(place.slice(0, n + 1)).fd}/.`);
      } catch (error) {
        if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
        throw error;
      }
    });
    return isHidden ? new LowerView([]) : this.#lower.at(place);
  }

  /** Opens a folder that exists. Throws SystemError. The result is good until the next call. */
  existing(components: readonly string[]): OpenFolder {
    const key = components.join('/');
    return this.#cached(key) ?? this.#keep(key, openFolderUnder(this.#root, key));
  }

  /** Opens a folder, making what is missing on the way. */
  ensure(components: readonly string[], links = 0): OpenFolder {
    const key = components.join('/');
    const cached = this.#cached(key);
    if (cached) return cached;
    try {
      return this.#keep(key, openFolderUnder(this.#root, key));
    } catch (error) {
      const code = errnoOf(error);
      if (components.length === 0 || (code !== 'ENOENT' && code !== 'ENOTDIR')) throw error;
    }
    return this.#make(components, links);
  }

  /** Takes over the descriptor of a folder that was just opened or made. */
  adopt(components: readonly string[], fd: number): OpenFolder {
    const key = components.join('/');
    const old = this.#open.get(key);
    if (old) close(old.fd);
    this.#open.delete(key);
    return this.#keep(key, fd, true);
  }

  /** To be called when a folder or link was removed or replaced: what was opened through it is no longer there. */
  forget(): void {
    for (const { fd } of this.#open.values()) close(fd);
    this.#open.clear();
  }

  [Symbol.dispose](): void {
    this.forget();
    close(this.#root);
  }

  #cached(key: string): OpenFolder | undefined {
    const folder = this.#open.get(key);
    if (folder) {
      this.#open.delete(key);
      this.#open.set(key, folder);
    }
    return folder;
  }

  #keep(key: string, fd: number, fresh = false): OpenFolder {
    const [oldest] = this.#open;
    if (oldest && this.#open.size >= maximumOpen) {
      this.#open.delete(oldest[0]);
      close(oldest[1].fd);
    }
    const stats = fstatSync(fd, { bigint: true });
    const folder = { fd, handsDownGroup: (stats.mode & 0o2000n) !== 0n, inode: stats.ino };
    this.#open.set(key, folder);
    this.#watcher?.(this.placeOf(folder), { inode: stats.ino, mtime: stats.mtimeNs, fresh });
    return folder;
  }

  #make(components: readonly string[], links: number): OpenFolder {
    const key = components.join('/');
    const parents = components.slice(0, -1);
    const name = components.at(-1) ?? '';
    const place = this.placeOf(this.ensure(parents, links));
    const below = this.below(place).find(name);
    // Opened again: looking may have closed it.
    const parent = this.ensure(parents, links);
    const stats = lstatIn(parent.fd, name);
    if (stats?.isSymbolicLink()) {
      if (links >= maximumLinks)
        throw invalidArgument(`invalid archive: too many links in ${JSON.stringify(key)}`);
      const target = pathFromBytes(readLinkAt(parent.fd, name));
      const from = target.startsWith('/') ? '' : `${parents.join('/')}/`;
      return this.ensure(clampedComponents(from + target), links + 1);
    }
    if (stats && !isWhiteout(stats)) {
      throw invalidArgument(`invalid archive: ${JSON.stringify(key)} is not a folder`);
    }
    if (stats) unlinkAt(parent.fd, name);
    makeFolderAt(parent.fd, name, 0o755);
    const fd = openFolderIn(parent.fd, name);
    try {
      // What a whiteout hides is not what the new folder continues.
      this.#inherit(stats ? undefined : below, fd, parent.handsDownGroup);
      if (stats) setXattr(fd, opaqueXattr, Buffer.from('y'));
      return this.#keep(key, fd, true);
    } catch (error) {
      close(fd);
      throw error;
    }
  }

  #inherit(found: ReturnType<LowerView['find']>, fd: number, inheritsGroup: boolean): void {
    if (!found?.stats.isDirectory()) {
      applyToFd(fd, { uid: 0, gid: 0, mode: 0o755, xattrs: new Map() }, !inheritsGroup);
      return;
    }
    const { path, stats } = found;
    const owner = { uid: Number(stats.uid), gid: Number(stats.gid), mode: permissionsOf(stats) };
    applyToFd(fd, { ...owner, xattrs: readXattrs(path) }, false);
    setTimesFd(fd, stats.mtimeNs, stats.mtimeNs);
  }
}
