import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Archiver, TreeUsage } from '#archive';
import { messageOf, type Clock, type Logger } from '#kernel';
import {
  hasProjectQuotas,
  limitFolder,
  makePrivate,
  spreadSubfolders,
  unlimitFolder,
  unmountBelow,
} from '#linux';
import type { Database } from '#metadata';
import type { Digest } from '#oci';
import { noSizeLimits, snapshotExists } from './errors.ts';
import { SnapshotRecords, type SnapshotRecord } from './snapshot-records.ts';
import type { SnapshotInfo, SnapshotMounts, Snapshotter } from './snapshotter.ts';
import { Trash } from './trash.ts';

export interface SnapshotterOptions {
  /** The folder for all snapshots; it becomes a private mount. */
  readonly root: string;
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly archiver: Archiver;
  /** What names this run of the machine; the kernel's word by default. */
  readonly boot?: string;
}

/** What one way of stacking layers has of its own: everything about the inside of a snapshot's folder. */
export interface Layering {
  /** Fills the new, empty folder of a snapshot on `parent`'s folder. */
  create(folder: string, parent: string | undefined): Promise<void> | void;
  /** Folders from the snapshot itself to the base. */
  mounts(folders: readonly string[], kind: SnapshotInfo['kind']): SnapshotMounts;
  /** Throws EngineError when the snapshot cannot be mounted as it is. */
  mount(mounts: SnapshotMounts, target: string, options: { readonly: boolean }): void;
  /** Drops what only an active snapshot needs. */
  freeze(folder: string): void;
  /** The folder with the snapshot's own files. */
  files(folder: string): string;
}

const trashName = 'trash';

/** Snapshots as numbered folders under one root, with a row for each. Short names keep mount options short. */
export class FolderSnapshotter implements Snapshotter {
  readonly #options: SnapshotterOptions;
  readonly #layering: Layering;
  readonly #records: SnapshotRecords;
  readonly #trash: Trash;
  readonly #preparing = new Set<string>();
  #next = 1;
  #boot = '';
  #flushing: Promise<void> | undefined;
  /** Whether the file system can give snapshots a size. */
  #limits = false;

  constructor(options: SnapshotterOptions, layering: Layering) {
    this.#options = options;
    this.#layering = layering;
    this.#records = new SnapshotRecords(options.db);
    this.#trash = new Trash(join(options.root, trashName), options.archiver, options.logger);
  }

  /** Folders without a row were not finished or not wanted any more; rows without a folder are lost. */
  async start(): Promise<void> {
    const { root, logger } = this.#options;
    mkdirSync(root, { recursive: true, mode: 0o711 });
    makePrivate(root);
    spreadSubfolders(root);
    this.#limits = hasProjectQuotas(root);
    this.#boot = this.#options.boot ?? readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    this.#records.load();
    this.#dropUnflushed();
    this.#trash.start();
    const known = new Set(this.#records.list().map(({ folder }) => folder));
    const present = new Set(readdirSync(root));
    present.delete(trashName);
    for (const name of [...present, ...this.#trash.names(), ...known]) {
      const number = Number.parseInt(name, 36);
      if (number >= this.#next) this.#next = number + 1;
    }
    for (const name of present) {
      if (known.has(name)) continue;
      unmountBelow(join(root, name));
      this.#discard(name);
    }
    for (const { key, folder } of this.#records.list()) {
      if (present.has(folder)) continue;
      const lost = this.#records.removeLost(key);
      for (const record of lost) this.#discard(record.folder);
      if (lost.length === 0) continue;
      const keys = lost.map((record) => record.key);
      logger.error({ folder, keys }, 'the folder of a snapshot is missing');
    }
    await Promise.resolve();
  }

  /** What was committed before the machine went down and did not reach the disk for sure is not to be trusted. */
  #dropUnflushed(): void {
    for (const { key, boot } of this.#records.unflushed()) {
      if (boot === this.#boot) continue;
      const lost = this.#records.removeLost(key).map((record) => record.key);
      if (lost.length > 0)
        this.#options.logger.warn({ keys: lost }, 'snapshots dropped: they may be incomplete');
    }
  }

  async prepare(
    key: string,
    parent: string | undefined,
    options: { readonly sizeLimit?: number } = {},
  ): Promise<SnapshotMounts> {
    this.#records.checkNew(key, parent);
    if (this.#preparing.has(key)) throw snapshotExists(key);
    const { sizeLimit } = options;
    if (sizeLimit !== undefined && !this.#limits) throw noSizeLimits();
    const folder = (this.#next++).toString(36);
    const path = this.#path(folder);
    this.#preparing.add(key);
    try {
      mkdirSync(path, { mode: 0o700 });
      if (sizeLimit !== undefined) limitFolder(path, projectOf(this.#options.root, folder), sizeLimit);
      const below = parent === undefined ? undefined : this.#path(this.#records.get(parent).folder);
      const filling = this.#layering.create(path, below);
      if (filling) await filling;
      const createdAt = this.#options.clock.now();
      this.#records.add({ key, parent, kind: 'active', folder, size: 0, createdAt });
    } catch (error) {
      this.#discard(folder);
      throw error;
    } finally {
      this.#preparing.delete(key);
    }
    return this.mounts(key);
  }

  mounts(key: string): SnapshotMounts {
    const chain = this.#records.chain(key);
    const folders = chain.map(({ folder }) => this.#path(folder));
    return this.#layering.mounts(folders, chain[0]?.kind ?? 'committed');
  }

  find(key: string): SnapshotInfo | undefined {
    const record = this.#records.find(key);
    return record && infoOf(record);
  }

  async commit(name: Digest, key: string, options: { size: number }): Promise<void> {
    const record = this.#records.get(key);
    if (record.kind === 'active' && this.#records.find(name)) {
      await this.remove(key);
      return;
    }
    const { folder } = this.#records.commit(key, name, options.size, this.#boot);
    this.#layering.freeze(this.#path(folder));
  }

  async replace(name: Digest, by: string, options: { check?(): void } = {}): Promise<void> {
    await this.#options.archiver.sync(this.#options.root, { signal: new AbortController().signal });
    options.check?.();
    const old = this.#records.replace(name, by);
    this.#layering.freeze(this.#path(this.#records.get(name).folder));
    this.#discard(old);
  }

  async flush(): Promise<void> {
    const wanted = new Set(this.#records.unflushed().map(({ folder }) => folder));
    while (this.#records.unflushed().some(({ folder }) => wanted.has(folder))) {
      // One that is under way may have begun before the last commit.
      await (this.#flushing ??= this.#flush().finally(() => (this.#flushing = undefined)));
    }
  }

  async #flush(): Promise<void> {
    const records = this.#records.unflushed();
    await this.#options.archiver.sync(this.#options.root, { signal: new AbortController().signal });
    this.#records.flushed(records);
  }

  async remove(key: string): Promise<void> {
    const record = this.#records.remove(key);
    if (record) this.#discard(record.folder);
    await Promise.resolve();
  }

  list(): readonly SnapshotInfo[] {
    return this.#records.list().map(infoOf);
  }

  async usage(
    key: string,
    options: { signal?: AbortSignal } = {},
  ): Promise<{ size: number; inodes: number }> {
    const { size, inodes } = await this.#count(key, (path) => this.#layering.files(path), options.signal);
    return { size, inodes };
  }

  async disk(key: string, options: { signal?: AbortSignal } = {}): Promise<number> {
    const record = this.#records.get(key);
    if (record.disk !== undefined) return record.disk;
    const { allocated, own } = await this.#count(key, (folder) => folder, options.signal);
    const disk = allocated + own;
    // Under the name it had before the count: what was frozen meanwhile may still have been written to.
    if (record.kind === 'committed') this.#records.measured(key, disk);
    return disk;
  }

  async #count(
    key: string,
    place: (folder: string) => string,
    signal = new AbortController().signal,
  ): Promise<TreeUsage & { readonly own: number }> {
    const path = place(this.#path(this.#records.get(key).folder));
    try {
      const { blocks } = await stat(path);
      return { ...(await this.#options.archiver.usage(path, { signal })), own: blocks * 512 };
    } catch (error) {
      // One that was removed under the count is not found.
      this.#records.get(key);
      throw error;
    }
  }

  mount(key: string, target: string, options: { readonly?: boolean } = {}): void {
    const mounts = this.mounts(key);
    const readonly = (options.readonly ?? false) || mounts.upper === undefined;
    this.#layering.mount(mounts, target, { readonly });
  }

  async emptied(): Promise<void> {
    await this.#trash.emptied();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#trash[Symbol.asyncDispose]();
  }

  #path(folder: string): string {
    return join(this.#options.root, folder);
  }

  /** Never throws: a folder that cannot go now has no row any more, and the next start tries again. */
  #discard(folder: string): void {
    const { root, logger } = this.#options;
    const path = this.#path(folder);
    try {
      if (this.#limits && existsSync(path)) unlimitFolder(path, projectOf(root, folder));
    } catch (error) {
      logger.warn({ folder, error: messageOf(error) }, 'the quota of a discarded snapshot stays');
    }
    try {
      this.#trash.take(path, folder);
    } catch (error) {
      logger.warn({ folder, error: messageOf(error) }, 'a discarded snapshot stays until the next start');
    }
  }
}

/**
 * The project of a snapshot's folder: its number, beside a mark of the root, since several roots may lie on one file
 * system, and far from the small numbers that people give.
 */
function projectOf(root: string, folder: string): number {
  const mark = hash('sha1', root, 'buffer').readUInt16BE() & 0x3ff;
  return 0x4000_0000 + mark * 0x10_0000 + (Number.parseInt(folder, 36) % 0x10_0000);
}

const infoOf = ({ key, parent, kind, size, createdAt }: SnapshotRecord): SnapshotInfo => ({
  key,
  parent,
  kind,
  size,
  createdAt,
});
