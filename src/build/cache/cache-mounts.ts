import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecMount } from '../graph/vertex.ts';
import { KeyedLock, newId, type Clock } from '#kernel';
import { integer, text, type Database } from '#metadata';

/** How several commands use one cache at the same time. */
export type MountSharing = 'shared' | 'private' | 'locked';

/** A cache as a RUN asks for it. */
export interface MountRequest {
  readonly id: string;
  /** What a new one begins with, by name: another beginning is another cache. */
  readonly origin: string;
  readonly sharing: MountSharing;
  /** Puts into a new one, an empty folder of mode 0755, what it begins with; `name` is what its folder will be called. */
  fill(folder: string, name: string): Promise<void>;
}

export interface MountRecord {
  /** Name of its folder. */
  readonly folder: string;
  readonly name: string;
  readonly createdAt: bigint;
  readonly usedAt: bigint;
  readonly uses: number;
}

/** A cache that a command has; others may have it, too, unless it is locked or private. */
export interface OpenMount extends Disposable {
  readonly path: string;
}

/**
 * The folders of `RUN --mount=type=cache`, kept between builds. A new one appears whole, so that a crash leaves none
 * that is half filled.
 */
export class CacheMounts {
  readonly root: string;
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #locks = new KeyedLock();
  readonly #users = new Map<string, number>();

  constructor(root: string, db: Database, clock: Clock) {
    this.root = root;
    this.#db = db;
    this.#clock = clock;
  }

  /** Removes what earlier runs have left half made, or are no longer known. */
  async start(): Promise<void> {
    await mkdir(this.root, { recursive: true, mode: 0o700 });
    const known = new Set(this.list().map(({ folder }) => folder));
    const found = new Set(await readdir(this.root));
    for (const name of found) {
      if (!known.has(name)) await rm(join(this.root, name), { recursive: true, force: true });
    }
    for (const folder of known) if (!found.has(folder)) this.#forget(folder);
  }

  list(): readonly MountRecord[] {
    return this.#db.all('SELECT * FROM build_mounts ORDER BY used_at DESC').map((row) => ({
      folder: text(row, 'folder'),
      name: text(row, 'name'),
      createdAt: integer(row, 'created_at'),
      usedAt: integer(row, 'used_at'),
      uses: Number(integer(row, 'uses')),
    }));
  }

  isUsed(folder: string): boolean {
    return this.#users.has(folder);
  }

  /**
   * Waits until nobody else has the locked caches among these, and keeps them until disposed. In one order for all
   * commands: those that wait for each other's never do so in a circle.
   */
  async reserve(
    mounts: readonly ExecMount[],
    options: { readonly signal: AbortSignal },
  ): Promise<Disposable> {
    using stack = new DisposableStack();
    const locked = mounts
      .filter((mount) => mount.kind === 'cache')
      .filter(({ sharing }) => sharing === 'locked');
    for (const folder of [...new Set(locked.map((mount) => hashOf(mountIdentity(mount))))].sort()) {
      stack.use(await this.#locks.acquire(`use ${folder}`, options));
    }
    return stack.move();
  }

  /** Opens a cache, made where there is none. A locked one is reserved by then; a private one nobody else uses. */
  async open(request: MountRequest, options: { readonly signal: AbortSignal }): Promise<OpenMount> {
    using stack = new DisposableStack();
    const base = hashOf(request);
    const folder = request.sharing === 'private' ? this.#unused(base) : base;
    this.#hold(folder);
    stack.defer(() => this.#release(folder));
    {
      using _making = await this.#locks.acquire(`make ${folder}`, options);
      await this.#make(folder, request);
    }
    const held = stack.move();
    return { path: join(this.root, folder), [Symbol.dispose]: () => held.dispose() };
  }

  /** The folder of a cache as it is now; undefined where there is none. */
  find(
    request: Pick<MountRequest, 'id' | 'origin'>,
  ): { readonly folder: string; readonly path: string } | undefined {
    const folder = hashOf(request);
    const isKnown = this.#db.find('SELECT folder FROM build_mounts WHERE folder = ?', folder) !== undefined;
    return isKnown ? { folder, path: join(this.root, folder) } : undefined;
  }

  /** Removes a cache that nobody uses; false: somebody does. */
  async remove(folder: string): Promise<boolean> {
    using _making = await this.#locks.acquire(`make ${folder}`);
    if (this.isUsed(folder)) return false;
    const gone = join(this.root, `${goingPrefix}${newId()}`);
    await rename(join(this.root, folder), gone).catch(() => undefined);
    this.#forget(folder);
    await rm(gone, { recursive: true, force: true });
    return true;
  }

  /** The first of a private mount's folders that nobody uses. */
  #unused(base: string): string {
    for (let n = 1; ; n += 1) {
      const folder = n === 1 ? base : `${base}-${n}`;
      if (!this.isUsed(folder)) return folder;
    }
  }

  async #make(folder: string, request: MountRequest): Promise<void> {
    const now = this.#clock.now();
    const used = 'UPDATE build_mounts SET used_at = ?, uses = uses + 1 WHERE folder = ?';
    if (this.#db.relaxed(() => this.#db.run(used, now, folder)) > 0) return;
    const making = join(this.root, `${goingPrefix}${newId()}`);
    await mkdir(making, { mode: 0o755 });
    try {
      await request.fill(making, folder);
      await rename(making, join(this.root, folder));
    } catch (error) {
      await rm(making, { recursive: true, force: true });
      throw error;
    }
    const made = 'INSERT INTO build_mounts (folder, name, created_at, used_at, uses) VALUES (?, ?, ?, ?, 1)';
    this.#db.run(made, folder, request.id, now, now);
  }

  #forget(folder: string): void {
    this.#db.run('DELETE FROM build_mounts WHERE folder = ?', folder);
  }

  #hold(folder: string): void {
    this.#users.set(folder, (this.#users.get(folder) ?? 0) + 1);
  }

  #release(folder: string): void {
    const left = (this.#users.get(folder) ?? 0) - 1;
    if (left > 0) this.#users.set(folder, left);
    else this.#users.delete(folder);
  }
}

/** What a cache of a command is called: by its id, and by what a new one begins with. */
export const mountIdentity = ({
  id,
  from,
  source,
}: CacheMount): { readonly id: string; readonly origin: string } => ({
  id,
  origin: from === 'scratch' ? '' : `${from} ${source}`,
});

export type CacheMount = Extract<ExecMount, { kind: 'cache' }>;

/** Folders that are not there yet, or no more. */
const goingPrefix = '.passing-';

const hashOf = ({ id, origin }: Pick<MountRequest, 'id' | 'origin'>): string =>
  createHash('sha256')
    .update(JSON.stringify(origin === '' ? [id] : [id, origin]))
    .digest('hex');
