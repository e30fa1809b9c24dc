import { closeSync, constants, fstatSync, openSync, statSync, type BigIntStats } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { posix, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { FilesystemChange } from '#api/types';
import { errnoOf, formatTime, invalidArgument, newId, notFound, permissionDenied } from '#kernel';
import { bindMount, openFolderUnder, openUnder, oPath, readLinkAt, unmount } from '#linux';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import type { PathStat } from '../containers.ts';
import { openMount } from '../start/open-mount.ts';
import { mountPointInRoot, mountRoot, unmountRoot } from '../start/root-file-system.ts';
import { goFileMode } from './go-file-mode.ts';

/** A container's file tree for as long as it is held: the live one, or a temporary mount of a stopped container's. */
interface HeldTree extends AsyncDisposable {
  readonly root: string;
}

/** The files of containers, running or not: cp, export, diff. Links resolve inside the container's root. */
export class ContainerFiles {
  readonly #ctx: ContainerContext;

  constructor(ctx: ContainerContext) {
    this.#ctx = ctx;
  }

  async stat(ref: string, path: string): Promise<PathStat> {
    const record = this.#ctx.store.get(ref);
    await using tree = await this.#hold(record);
    return statInside(tree.root, path, record.name);
  }

  async read(
    ref: string,
    path: string,
    options: { signal: AbortSignal },
  ): Promise<{ readonly stat: PathStat; readonly stream: Readable }> {
    const record = this.#ctx.store.get(ref);
    await using held = new AsyncDisposableStack();
    const tree = held.use(await this.#hold(record));
    const stat = statInside(tree.root, path, record.name);
    const name = posix.basename(posix.normalize(path));
    const { stream, done } = this.#ctx.options.archiver.pack({
      root: tree.root,
      path,
      name: path.endsWith('/.') || name === '' || name === '/' ? '.' : name,
      signal: options.signal,
    });
    const owned = held.move();
    void done.catch(() => undefined).finally(() => owned.disposeAsync());
    this.#ctx.publish(record, 'archive-path');
    return { stat, stream };
  }

  async write(
    ref: string,
    path: string,
    archive: AsyncIterable<Uint8Array>,
    options: { noOverwriteDirNonDir: boolean; copyUIDGID: boolean; signal: AbortSignal },
  ): Promise<void> {
    const record = this.#ctx.store.get(ref);
    await using tree = await this.#hold(record);
    const stat = statInside(tree.root, posix.join(path, '.'), record.name, path);
    if (stat.mode < 2 ** 31) throw invalidArgument('extraction point is not a directory');
    if (record.hostConfig.ReadonlyRootfs && !this.#inWritableMount(record, path)) {
      throw permissionDenied('container rootfs is marked read-only');
    }
    await this.#ctx.options.archiver.unpack(
      { stream: archive },
      { root: tree.root, path, keepKinds: options.noOverwriteDirNonDir, signal: options.signal },
    );
    this.#ctx.publish(record, 'extract-to-dir');
  }

  async export(ref: string, options: { signal: AbortSignal }): Promise<Readable> {
    const record = this.#ctx.store.get(ref);
    await using held = new AsyncDisposableStack();
    const tree = held.use(await this.#hold(record, { volumes: false }));
    const { stream, done } = this.#ctx.options.archiver.pack({
      root: tree.root,
      path: '/',
      name: '.',
      signal: options.signal,
    });
    const owned = held.move();
    void done.catch(() => undefined).finally(() => owned.disposeAsync());
    this.#ctx.publish(record, 'export');
    return stream;
  }

  async changes(ref: string): Promise<readonly FilesystemChange[]> {
    const record = this.#ctx.store.get(ref);
    const { snapshots, archiver, signal } = this.#ctx.options;
    const mounts = snapshots.mounts(record.id);
    const changes = await archiver.changes({
      mounts: { ...mounts, lower: [this.#ctx.baseLayer, ...mounts.lower] },
      signal,
    });
    const kinds = { modified: 0, added: 1, deleted: 2 } as const;
    return changes.map(({ path, kind }) => ({ Path: path, Kind: kinds[kind] }));
  }

  async size(ref: string): Promise<{ readonly sizeRw: number; readonly sizeRootFs: number }> {
    const record = this.#ctx.store.get(ref);
    const { size } = await this.#ctx.options.snapshots.usage(record.id, { signal: this.#ctx.options.signal });
    return { sizeRw: size, sizeRootFs: size + (this.#ctx.options.images.find(record.imageId)?.size ?? 0) };
  }

  #inWritableMount(record: ContainerRecord, path: string): boolean {
    return record.mounts.some(({ destination, rw }) => rw && `${path}/`.startsWith(`${destination}/`));
  }

  /** Mounts a snapshot of one's own view for the length of the work; volumes are shown where the container has them. */
  async #hold(record: ContainerRecord, options: { volumes?: boolean } = {}): Promise<HeldTree> {
    if (record.state.status === 'running' && options.volumes !== false) {
      return { root: `/proc/${record.state.pid}/root`, [Symbol.asyncDispose]: async () => Promise.resolve() };
    }
    const user = `files-${newId().slice(0, 16)}`;
    const root = join(this.#ctx.options.bundles, user, 'rootfs');
    await using opened = new AsyncDisposableStack();
    if (record.state.status === 'running') {
      // An upper folder in use may not be mounted twice; the run's own mount is seen through a bind.
      await mkdir(root, { recursive: true });
      bindMount(join(this.#ctx.options.bundles, record.id, 'rootfs'), root);
    } else {
      await mountRoot(this.#ctx.options.snapshots.mounts(record.id), this.#ctx.baseLayer, root);
    }
    opened.defer(() => unmountRoot(root));
    if (options.volumes !== false) await this.#mountVolumes(record, root, user, opened);
    const owned = opened.move();
    return { root, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  }

  /** As for a start, what is mounted over the root is put there, so that files land where the container will see them. */
  async #mountVolumes(
    record: ContainerRecord,
    root: string,
    user: string,
    opened: AsyncDisposableStack,
  ): Promise<void> {
    for (const mount of record.mounts.filter(({ type }) => type !== 'tmpfs')) {
      const { name } = mount;
      if (name !== undefined) opened.defer(() => this.#ctx.options.volumes.release(name, user));
      const source = await openMount(this.#ctx, mount, root, user);
      const kind = statSync(source).isDirectory() ? 'folder' : 'file';
      const target = mountPointInRoot(root, mount.destination, kind);
      if (target === undefined) continue;
      bindMount(source, target, { readonly: !mount.rw, recursive: true });
      opened.defer(() => {
        unmount(target, { lazy: true });
      });
    }
  }
}

/** lstat inside a root, for the header of the archive endpoints. Throws notFound in Docker's words. */
function statInside(root: string, path: string, container: string, shown = path): PathStat {
  const clean = posix.normalize(`/${path}`);
  const name = posix.basename(clean);
  const rootFd = openSync(root, constants.O_DIRECTORY);
  try {
    const parent = openFolderUnder(rootFd, posix.dirname(clean));
    try {
      const follow = path.endsWith('/') || path.endsWith('/.');
      const flags = oPath | (follow ? 0 : constants.O_NOFOLLOW);
      const fd = openUnder(rootFd, clean, { flags, resolve: 'root' });
      const stat = fstatSync(fd, { bigint: true });
      closeSync(fd);
      const link = stat.isSymbolicLink() ? readLinkAt(parent, name).toString() : '';
      return pathStat(
        name === '' ? '/' : name,
        stat,
        link === '' ? '' : posix.resolve(posix.dirname(clean), link),
      );
    } finally {
      closeSync(parent);
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) {
      throw notFound(`Could not find the file ${shown} in container ${container}`, error);
    }
    throw error;
  } finally {
    closeSync(rootFd);
  }
}

const pathStat = (name: string, stat: BigIntStats, linkTarget: string): PathStat => ({
  name,
  size: Number(stat.size),
  mode: goFileMode(Number(stat.mode)),
  mtime: formatTime(stat.mtimeNs),
  linkTarget,
});
