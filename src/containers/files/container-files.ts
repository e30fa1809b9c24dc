import { closeSync, constants, existsSync, fstatSync, openSync, statSync, type BigIntStats } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { posix, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { FilesystemChange } from '#api/types';
import { errnoOf, formatTime, invalidArgument, newId, notFound } from '#kernel';
import { bindMount, findMount, openFolderUnder, openUnder, oPath, readLinkAt } from '#linux';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import type { PathStat } from '../containers.ts';
import { rootOf, stateFolderOf } from '../start/container-paths.ts';
import { makeExtraMountPoint } from '../start/extra-mounts.ts';
import { openMount } from '../start/open-mount.ts';
import { openMountPoint, mountRoot, unmountRoot } from '../start/root-file-system.ts';
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
      throw invalidArgument('container rootfs is marked read-only');
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
      name: '',
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

  /**
   * The file tree of a container for the length of the work: of a running one as its processes see it, of a stopped one
   * its mounted root, which a start meanwhile shares. Volumes are shown where the container has them.
   */
  async #hold(record: ContainerRecord, options: { volumes?: boolean } = {}): Promise<HeldTree> {
    const withVolumes = options.volumes !== false;
    const live =
      withVolumes && record.state.status === 'running'
        ? this.#liveTree(record.id, record.state.pid)
        : undefined;
    if (live) return live;
    const ctx = this.#ctx;
    const { id } = record;
    const user = `files-${newId().slice(0, 16)}`;
    const root = join(ctx.options.bundles, user, 'rootfs');
    const shared = rootOf(ctx, id);
    await using opened = new AsyncDisposableStack();
    await ctx.roots.acquire(id, user, () => {
      // That of a container which has been running since before the daemon did is there already.
      if (!findMount(shared)) mountRoot(ctx.options.snapshots.mounts(id), ctx.baseLayer, shared);
    });
    opened.defer(() =>
      ctx.roots.release(id, user, async () => {
        if (ctx.store.find(id)?.state.status !== 'running') await unmountRoot(shared);
      }),
    );
    await mkdir(root, { recursive: true });
    opened.defer(() => unmountRoot(root));
    bindMount(shared, root);
    if (withVolumes) await this.#mountVolumes(record, root, user, opened);
    const owned = opened.move();
    return { root, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  }

  /** By a descriptor, since a pid may be another process's a moment later; undefined when it is no longer the container's. */
  #liveTree(id: string, pid: number): HeldTree | undefined {
    let fd: number;
    try {
      fd = openSync(`/proc/${pid}/root`, oPath | constants.O_DIRECTORY);
    } catch (error) {
      if (['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '')) return undefined;
      throw error;
    }
    const seen = fstatSync(fd, { bigint: true });
    const own = statSync(rootOf(this.#ctx, id), { bigint: true, throwIfNoEntry: false });
    if (seen.dev !== own?.dev || seen.ino !== own.ino) {
      closeSync(fd);
      return undefined;
    }
    return {
      root: `/proc/self/fd/${fd}`,
      [Symbol.asyncDispose]: async () => {
        closeSync(fd);
        await Promise.resolve();
      },
    };
  }

  /** The engine's own files, as the last run had them. */
  #mountEtc(record: ContainerRecord, root: string): void {
    if (record.state.status === 'created') return;
    for (const name of ['hostname', 'hosts', 'resolv.conf']) {
      const source = join(stateFolderOf(this.#ctx, record.id), name);
      const target = existsSync(source) ? openMountPoint(root, `/etc/${name}`, 'file') : undefined;
      if (target === undefined) continue;
      try {
        bindMount(source, `/proc/self/fd/${target}`);
      } finally {
        closeSync(target);
      }
    }
  }

  /** As for a start, what is mounted over the root is put there, so that files land where the container will see them. */
  async #mountVolumes(
    record: ContainerRecord,
    root: string,
    user: string,
    opened: AsyncDisposableStack,
  ): Promise<void> {
    this.#mountEtc(record, root);
    const bundle = join(this.#ctx.options.bundles, user);
    for (const mount of record.mounts.filter(({ type }) => type !== 'tmpfs')) {
      const { name } = mount;
      if (name !== undefined) opened.defer(() => this.#ctx.options.volumes.release(name, user));
      let source = await openMount(this.#ctx, mount, root, user);
      const kind = statSync(source).isDirectory() ? 'folder' : 'file';
      if (!mount.rw) {
        const readonly = await makeExtraMountPoint(bundle, kind);
        bindMount(source, readonly, { readonly: true, recursive: true });
        source = readonly;
      }
      const target = openMountPoint(root, mount.destination, kind);
      if (target === undefined) continue;
      try {
        // By its descriptor: in a container that was started meanwhile, a path may have become a link. It goes with the root.
        bindMount(source, `/proc/self/fd/${target}`, { recursive: true });
      } finally {
        closeSync(target);
      }
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
      const base = path.endsWith('/.') && name !== '' ? '.' : name;
      return pathStat(
        base === '' ? '/' : base,
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
