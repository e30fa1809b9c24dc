import { createHash } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Archiver } from '#archive';
import { topOf, type ImageBuilding } from '#images';
import { conflict, errnoOf, KeyedLock, notFound, type Clock } from '#kernel';
import type { Digest } from '#oci';
import type { ContextStore } from '../contexts/context-store.ts';
import type { BuildCache, CacheRecord } from './build-cache.ts';
import type { CacheMounts } from './cache-mounts.ts';
import type { CacheUsage } from './cache-usage.ts';
import { choosePruned, type PruneRules } from './prune-choice.ts';

export interface CacheStoreParts {
  readonly cache: BuildCache;
  readonly mounts: CacheMounts;
  readonly contexts: ContextStore;
  readonly building: ImageBuilding;
  readonly archiver: Archiver;
  readonly clock: Clock;
}

/** Ids of BuildKit's records have 25 characters. */
const idLength = 25;
const idOf = (digest: string): string => digest.replace(/^sha256:/, '').slice(0, idLength);
const contextsId = idOf(createHash('sha256').update('build contexts').digest('hex'));

/** What the builder keeps, told as records that can be removed one by one. */
export class CacheStore {
  readonly #parts: CacheStoreParts;
  readonly #turn = new KeyedLock();

  constructor(parts: CacheStoreParts) {
    this.#parts = parts;
  }

  async usage(options: { readonly signal: AbortSignal }): Promise<readonly CacheUsage[]> {
    return [...(await this.#layers(options)), ...(await this.#folders(options.signal))];
  }

  /** Answers what went; of each, the bytes that were freed. */
  async prune(rules: PruneRules, options: { readonly signal: AbortSignal }): Promise<readonly CacheUsage[]> {
    using _turn = await this.#turn.acquire('prune', options);
    const records = await this.usage(options);
    const { bsize, bavail } = statfsSync(this.#parts.mounts.root);
    const now = this.#parts.clock.now();
    return await this.#remove(choosePruned(records, rules, { now, freeSpace: bsize * bavail }));
  }

  /** Removes one record; answers the bytes that were freed. Throws notFound, or conflict where it is needed. */
  async remove(id: string, options: { readonly signal: AbortSignal }): Promise<number> {
    using _turn = await this.#turn.acquire('prune', options);
    const records = await this.usage(options);
    const record = records.find((each) => each.id === id);
    if (!record) throw notFound(`no such record of the build cache: ${id}`);
    if (record.inUse || records.some(({ parents }) => parents.includes(id))) {
      throw conflict(`the build cache needs ${id}`);
    }
    const removed = await this.#remove([record]);
    if (removed.length === 0) throw conflict(`the build cache needs ${id}`);
    return removed.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async #remove(chosen: readonly CacheUsage[]): Promise<readonly CacheUsage[]> {
    const { cache, building, mounts, contexts } = this.#parts;
    const removed: CacheUsage[] = [];
    const ids = new Set(chosen.filter(({ kind }) => kind === 'regular').map(({ id }) => id));
    const going = cache.list().filter(({ layers }) => {
      const top = topOf(layers);
      return top === undefined || ids.has(idOf(top));
    });
    await building.sweep(cache.remove(going.map(({ key }) => key)));
    for (const record of chosen) {
      // What images need is only forgotten.
      const freed = { ...record, bytes: record.isShared ? 0 : record.bytes };
      if (record.kind === 'regular') removed.push(freed);
      else if (record.kind === 'source.local') {
        if (await contexts.clear()) removed.push(freed);
      } else {
        const mount = mounts.list().find(({ folder }) => mountId(folder) === record.id);
        if (mount && (await mounts.remove(mount.folder))) removed.push(freed);
      }
    }
    return removed;
  }

  async #layers(options: { readonly signal: AbortSignal }): Promise<readonly CacheUsage[]> {
    const { cache, building } = this.#parts;
    const steps = cache.list();
    const stacks = steps.map(({ layers }) => layers);
    const usages = await building.usage(stacks, options);
    const byTop = grouped(steps);
    // A layer below others was used when they were.
    const lastUse = new Map<Digest, bigint>();
    for (const { chainId, parent } of [...usages.values()].reverse()) {
      const own = (byTop.get(chainId) ?? []).map(({ usedAt }) => usedAt);
      const latest = [...own, lastUse.get(chainId) ?? 0n].reduce((a, b) => (a > b ? a : b));
      lastUse.set(chainId, latest);
      if (parent !== undefined && (lastUse.get(parent) ?? 0n) < latest) lastUse.set(parent, latest);
    }
    return [...usages.values()].map(({ chainId, blob, parent, bytes, isShared, inUse }): CacheUsage => {
      const own = byTop.get(chainId) ?? [];
      const usedAt = lastUse.get(chainId) ?? 0n;
      const [first] = own;
      return {
        ...{ id: idOf(chainId), parents: parent === undefined ? [] : [idOf(parent)], kind: 'regular' },
        ...{ description: first?.description ?? 'layer of a base image', bytes, isShared, inUse },
        createdAt: first?.createdAt ?? usedAt,
        usedAt,
        uses: own.reduce((most, { uses }) => Math.max(most, uses), 1),
        isMutable: false,
        layer: { chainId, blob },
      };
    });
  }

  async #folders(signal: AbortSignal): Promise<readonly CacheUsage[]> {
    const { mounts, contexts } = this.#parts;
    const records: CacheUsage[] = [];
    for (const { folder, name, ...times } of mounts.list()) {
      const bytes = await this.#tree(join(mounts.root, folder), signal);
      const description = `cached mount ${name.replace(/^\//, '')}`;
      const inUse = mounts.isUsed(folder);
      records.push({
        ...{ id: mountId(folder), parents: [], kind: 'exec.cachemount', description, bytes, ...times },
        ...{ inUse, isShared: false, isMutable: true },
      });
    }
    const usedAt = await contexts.lastUse();
    if (usedAt !== undefined) {
      const bytes = await this.#tree(contexts.root, signal);
      records.push({
        ...{
          id: contextsId,
          parents: [],
          kind: 'source.local',
          description: 'local sources of builds',
          bytes,
        },
        ...{ createdAt: usedAt, usedAt, uses: 1, inUse: contexts.isUsed, isShared: false, isMutable: true },
      });
    }
    return records;
  }

  async #tree(path: string, signal: AbortSignal): Promise<number> {
    try {
      const own = (await lstat(path)).blocks * 512;
      return own + (await this.#parts.archiver.usage(path, { signal })).allocated;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return 0;
      throw error;
    }
  }
}

const mountId = (folder: string): string => idOf(createHash('sha256').update(folder).digest('hex'));

/** Steps by the layer that is on top of what came of them. */
function grouped(steps: readonly CacheRecord[]): ReadonlyMap<Digest, readonly CacheRecord[]> {
  const byTop = new Map<Digest, CacheRecord[]>();
  for (const step of steps) {
    const top = topOf(step.layers);
    if (top === undefined) continue;
    const same = byTop.get(top);
    if (same) same.push(step);
    else byTop.set(top, [step]);
  }
  return byTop;
}
