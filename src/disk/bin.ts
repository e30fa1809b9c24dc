import { setImmediate } from 'node:timers/promises';
import type { DiscardedImage, ImageUpkeep } from '#images';
import { EngineError, isKind, messageOf, newId, notFound, type Clock } from '#kernel';
import type { Digest } from '#oci';
import type { VolumeUpkeep, Volumes } from '#volumes';
import type { BinEntry, Prune, Undone } from './disk.ts';
import type { BuildCache } from './build-cache.ts';
import { ledgerWith, takeInventory, type InventoryOptions } from './inventory.ts';
import { keysOf } from './ledger.ts';

export interface BinOptions extends InventoryOptions {
  readonly clock: Clock;
  readonly images: ImageUpkeep;
  readonly volumes: Volumes & VolumeUpkeep;
  /** Nanoseconds for which things stay; 0: there is no bin. */
  readonly grace: () => bigint;
  /** Whether there is room for things that nobody needs. */
  readonly hasRoom: () => boolean;
  /** Undefined as long as there is no builder. */
  readonly cache?: BuildCache;
}

/** Prunes that follow each other this closely, in nanoseconds, are one: clients ask for each noun by itself. */
const togetherness = 2_000_000_000n;

/** Where prunes put images and volumes for a while. Callers see to it that only one thing happens at a time. */
export class Bin {
  readonly #options: BinOptions;
  #batch = { id: '', last: 0n };

  constructor(options: BinOptions) {
    this.#options = options;
  }

  prune({ now }: { readonly now: boolean }): Prune {
    const { grace, hasRoom } = this.#options;
    const binned = !now && grace() > 0n && hasRoom();
    return {
      binned,
      image: (id) => (binned ? this.#retireImage(id) : this.#options.images.discard(id)),
      volume: (name) => (binned ? this.#retireVolume(name) : this.#removeVolume(name)),
    };
  }

  async #retireImage(id: Digest): Promise<DiscardedImage> {
    const removed = this.#options.images.retire(id, this.#currentBatch());
    return Promise.resolve({ removed, bytes: 0 });
  }

  async #retireVolume(name: string): Promise<number> {
    await this.#options.volumes.retire(name, this.#currentBatch());
    return 0;
  }

  async #removeVolume(name: string): Promise<number> {
    const { volumes } = this.#options;
    const bytes = await volumes.usage(name);
    await volumes.remove(name);
    return bytes;
  }

  #currentBatch(): string {
    const now = this.#options.clock.now();
    const isNew = now - this.#batch.last > togetherness;
    this.#batch = { id: isNew ? newId().slice(0, 12) : this.#batch.id, last: now };
    return this.#batch.id;
  }

  /** Oldest first; the bytes of each are those that go if all before it have gone. */
  async list(signal: AbortSignal): Promise<readonly BinEntry[]> {
    const { volumes } = this.#options;
    const sizes = new Map<string, number>();
    for (const { id } of volumes.retired()) {
      sizes.set(id, await volumes.retiredUsage(id).catch(() => 0));
    }
    const holdings = this.#options.images.holdings();
    const retired = holdings
      .filter((image) => image.retired)
      .sort((a, b) => Number((a.retired?.at ?? 0n) - (b.retired?.at ?? 0n)));
    if (retired.length > 0) {
      const cache = (await this.#options.cache?.usage({ signal })) ?? [];
      const ledger = ledgerWith(await takeInventory(this.#options, signal), holdings, cache);
      for (const image of retired) sizes.set(image.id, ledger.release(keysOf(image)));
    }
    return this.#entries().map((entry) => ({ ...entry, bytes: sizes.get(entry.id) ?? 0 }));
  }

  /** The same without sizes. */
  #entries(): readonly BinEntry[] {
    const { images, volumes, grace } = this.#options;
    const term = grace();
    const entries: BinEntry[] = [];
    for (const { id, names, retired } of images.holdings()) {
      if (retired) entries.push({ kind: 'image', id, names, bytes: 0, until: retired.at + term, ...retired });
    }
    for (const { id, record, at, batch } of volumes.retired()) {
      entries.push({ kind: 'volume', id, names: [record.name], bytes: 0, at, until: at + term, batch });
    }
    return entries.sort((a, b) => Number(a.at - b.at));
  }

  async undo({ id, name }: { readonly id?: string; readonly name?: string }): Promise<readonly Undone[]> {
    const entries = this.#entries();
    const newest = entries.at(-1)?.batch;
    if (newest === undefined) throw notFound('the bin is empty: there is nothing to undo');
    const asked = id === undefined ? entries.filter(({ batch }) => batch === newest) : chosen(entries, id);
    if (asked.length === 0)
      throw notFound(
        `nothing in the bin is called ${id ?? ''}: see what there is, with: wharf system undo --list`,
      );
    const [only] = asked;
    if (name !== undefined && (asked.length > 1 || only?.kind !== 'volume')) {
      throw new EngineError('invalidArgument', 'only one volume can be given another name');
    }
    const undone: Undone[] = [];
    for (const entry of asked) {
      undone.push(await this.#restore(entry, name));
      // Other requests want to be answered between a thousand of them.
      await setImmediate();
    }
    return undone;
  }

  async #restore({ kind, id, names }: BinEntry, name: string | undefined): Promise<Undone> {
    const { images, volumes } = this.#options;
    try {
      if (kind === 'volume') return { kind, id, names: [(await volumes.reinstate(id, name)).name] };
      // The id is an image's.
      const restored = images.reinstate(id as Digest);
      if (restored.taken.length === 0) return { kind, id, names: restored.names };
      const problem = `in use by another image by now: ${restored.taken.join(', ')}; the image is back without`;
      return { kind, id, names: restored.names, problem };
    } catch (error) {
      if (!isKind(error, 'conflict') && !isKind(error, 'notFound')) throw error;
      return { kind, id, names: [], problem: `${names.join(', ')} stays in the bin: ${messageOf(error)}` };
    }
  }

  /** For good. Answers the bytes that were freed; 0 where it has left the bin meanwhile. */
  async remove({ kind, id }: Pick<BinEntry, 'kind' | 'id'>): Promise<number> {
    const { images, volumes } = this.#options;
    const isThere = this.#entries().some((entry) => entry.kind === kind && entry.id === id);
    if (!isThere) return 0;
    // The id is an image's.
    if (kind === 'image') return (await images.discard(id as Digest)).bytes;
    const bytes = await volumes.retiredUsage(id);
    await volumes.discard(id);
    return bytes;
  }

  expired(): readonly BinEntry[] {
    const now = this.#options.clock.now();
    return this.#entries().filter(({ until }) => until <= now);
  }

  /** Oldest first. */
  ofKinds(kinds: ReadonlySet<BinEntry['kind']>): readonly BinEntry[] {
    return this.#entries().filter(({ kind }) => kinds.has(kind));
  }
}

/** By batch, name, or an id or its beginning. */
function chosen(entries: readonly BinEntry[], id: string): readonly BinEntry[] {
  const batch = entries.filter((entry) => entry.batch === id);
  if (batch.length > 0) return batch;
  const named = entries.filter(({ names }) => names.includes(id) || names.includes(`${id}:latest`));
  // What was binned last under that name.
  if (named.length > 0) return named.slice(-1);
  const digits = id.replace(/^sha256:/, '');
  const found = entries.filter((entry) => entry.id.replace(/^sha256:/, '').startsWith(digits));
  return digits === '' || found.length > 1 ? [] : found;
}
