import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Archiver } from '#archive';
import type { ImageUpkeep } from '#images';
import { errnoOf, isKind, Limiter } from '#kernel';
import type { Digest } from '#oci';
import type { VolumeUpkeep, Volumes } from '#volumes';
import type { BuildCache, CacheEntry } from './build-cache.ts';
import type { DiskUse, ImageUse, UseKind } from './disk.ts';
import { ledgerWith, sizeOf, takeInventory, type Inventory, type InventoryOptions } from './inventory.ts';
import { keysOf, Ledger } from './ledger.ts';

/** A container as far as the disk is concerned. */
export interface DiskUser {
  readonly id: string;
  readonly name: string;
  /** Images that it was made from or has mounted. */
  readonly images: readonly Digest[];
}

export interface AccountingOptions extends InventoryOptions {
  /** The data root. */
  readonly root: string;
  readonly archiver: Archiver;
  readonly images: ImageUpkeep;
  readonly volumes: Volumes & VolumeUpkeep;
  readonly containers: () => readonly DiskUser[];
  readonly cache?: BuildCache;
}

/** Folders of the data root that are accounted for by noun; everything else counts as records. */
const nouns = new Set(['content', 'snapshots', 'containers', 'volumes', 'build']);
const atOnce = 2;

/** Counts what takes the data root, in allocated blocks as du(1) does. What vanishes meanwhile counts nothing. */
export class Accounting {
  readonly #options: AccountingOptions;
  readonly #limiter = new Limiter(atOnce);

  constructor(options: AccountingOptions) {
    this.#options = options;
  }

  async use(kinds: ReadonlySet<UseKind>, signal: AbortSignal): Promise<DiskUse> {
    const wantsBin = kinds.has('image') && kinds.has('volume');
    const inventory = kinds.has('image') ? await takeInventory(this.#options, signal) : undefined;
    const wantsCache = inventory !== undefined || kinds.has('build-cache');
    const cache = wantsCache ? ((await this.#options.cache?.usage({ signal })) ?? []) : [];
    return {
      ...(inventory && { images: await this.#images(inventory, cache, signal) }),
      ...(kinds.has('build-cache') && { cache }),
      ...(kinds.has('container') && { containers: await this.#containers(signal) }),
      ...(kinds.has('volume') && { volumes: await this.#volumes() }),
      ...(inventory && wantsBin && { bin: await this.#bin(inventory, cache) }),
      ...(inventory && wantsBin && kinds.has('container') && { records: await this.#records(cache, signal) }),
    };
  }

  async #images(
    inventory: Inventory,
    cache: readonly CacheEntry[],
    signal: AbortSignal,
  ): Promise<NonNullable<DiskUse['images']>> {
    const { root, images, snapshots } = this.#options;
    const live = images.holdings().filter(({ retired }) => !retired);
    const shares = new Ledger(inventory.sizes);
    for (const image of live) shares.hold(keysOf(image));
    const each = new Map(live.map((image): [Digest, ImageUse] => [image.id, shares.share(keysOf(image))]));
    // Not the sum of the blobs: unfinished downloads are there too.
    let layers = await this.#tree(join(root, 'content'), signal);
    const containers = new Set(this.#options.containers().map(({ id }) => id));
    for (const { key } of snapshots.list()) {
      if (!containers.has(ownerOf(key))) layers += (await sizeOf(snapshots, key, signal)) ?? 0;
    }
    for (const entry of cache) if (entry.layer && !entry.isShared) layers -= entry.bytes;
    const used = new Set(this.#options.containers().flatMap((user) => user.images));
    const needed = ledgerWith(inventory, [], cache);
    const active = live.filter(({ id }) => used.has(id));
    for (const image of active) needed.hold(keysOf(image));
    return { each, layers, reclaimable: needed.unheld() };
  }

  async #containers(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const { root, snapshots } = this.#options;
    const users = this.#options.containers();
    const bytes = new Map(users.map(({ id }) => [id, 0]));
    const add = (id: string, size: number): void => void bytes.set(id, (bytes.get(id) ?? 0) + size);
    const own = snapshots.list().filter(({ key }) => bytes.has(ownerOf(key)));
    await Promise.all([
      ...own.map(({ key }) =>
        this.#limiter.run(async () => add(ownerOf(key), (await sizeOf(snapshots, key, signal)) ?? 0)),
      ),
      ...users.map(async ({ id }) => add(id, await this.#tree(join(root, 'containers', id), signal))),
    ]);
    return bytes;
  }

  async #volumes(): Promise<ReadonlyMap<string, number>> {
    const { volumes } = this.#options;
    const bytes = new Map<string, number>();
    await Promise.all(
      volumes.list().map(({ name }) =>
        this.#limiter.run(async () => {
          const size = await unlessNotFound(volumes.usage(name));
          if (size !== undefined) bytes.set(name, size);
        }),
      ),
    );
    return bytes;
  }

  async #bin(inventory: Inventory, cache: readonly CacheEntry[]): Promise<NonNullable<DiskUse['bin']>> {
    const { images, volumes } = this.#options;
    const holdings = images.holdings();
    const ledger = ledgerWith(inventory, holdings, cache);
    const retired = holdings.filter((image) => image.retired);
    let inImages = 0;
    for (const image of retired) inImages += ledger.release(keysOf(image));
    const sizes = await Promise.all(
      volumes.retired().map(({ id }) => volumes.retiredUsage(id).catch(() => 0)),
    );
    const inVolumes = sizes.reduce((sum, size) => sum + size, 0);
    return { count: retired.length + sizes.length, images: inImages, volumes: inVolumes };
  }

  /** The data root without what belongs to a noun: so that everything together is what du says. */
  async #records(cache: readonly CacheEntry[], signal: AbortSignal): Promise<number> {
    const { root } = this.#options;
    let bytes = await blocksOf(root);
    for (const name of await readdir(root)) {
      if (!nouns.has(name)) bytes += await this.#tree(join(root, name), signal);
    }
    bytes += await this.#tree(join(root, 'build'), signal);
    for (const entry of cache) if (!entry.layer) bytes -= entry.bytes;
    const folder = join(root, 'snapshots');
    // Counting the folder of each snapshot again would take long; what is left is itself and what is being deleted.
    bytes += (await blocksOf(folder)) + (await this.#tree(join(folder, 'trash'), signal));
    const containers = join(root, 'containers');
    const known = new Set(this.#options.containers().map(({ id }) => id));
    bytes += await blocksOf(containers);
    for (const name of await namesIn(containers)) {
      if (!known.has(name)) bytes += await this.#tree(join(containers, name), signal);
    }
    const volumes = join(root, 'volumes');
    bytes += await blocksOf(volumes);
    for (const name of await namesIn(volumes)) {
      const place = join(volumes, name);
      if (name.startsWith('.removing-')) bytes += await this.#tree(place, signal);
      else bytes += (await blocksOf(place)) + (await blocksOf(join(place, '_data')));
    }
    return bytes;
  }

  /** A file, or a folder with everything in it. */
  async #tree(path: string, signal: AbortSignal): Promise<number> {
    // On some file systems folders take nothing.
    const own = await blocksOf(path);
    return this.#limiter.run(async () => {
      try {
        return own + (await this.#options.archiver.usage(path, { signal })).allocated;
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return 0;
        if (errnoOf(error) === 'ENOTDIR') return own;
        throw error;
      }
    });
  }
}

/** Containers name their snapshots by their id of 64 digits, with more after it for further ones. */
const ownerOf = (key: string): string => key.slice(0, 64);

async function blocksOf(path: string): Promise<number> {
  try {
    return (await lstat(path)).blocks * 512;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function unlessNotFound<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isKind(error, 'notFound')) return undefined;
    throw error;
  }
}
