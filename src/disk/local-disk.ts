import { statfsSync } from 'node:fs';
import type { Archiver } from '#archive';
import type { ContentStore } from '#content';
import type { EventSink, EventSource } from '#events';
import type { Images, ImageUpkeep } from '#images';
import { Limiter, messageOf, SingleFlight, type Clock, type Logger } from '#kernel';
import type { Database, Leases } from '#metadata';
import type { Snapshotter } from '#snapshots';
import type { VolumeUpkeep, Volumes } from '#volumes';
import { Accounting, type DiskUser } from './accounting.ts';
import { Bin } from './bin.ts';
import type { BuildCache } from './build-cache.ts';
import { Collector } from './collector.ts';
import type {
  BinEntry,
  CollectOptions,
  CollectorReport,
  Disk,
  DiskUse,
  FreeSpace,
  Prune,
  Undone,
  UseKind,
} from './disk.ts';
import { readFreeSpace, type Amount } from './free-space.ts';
import { LastUses } from './last-uses.ts';
import type { CollectorRules } from './plan.ts';

/** What the daemon's configuration says of the disk; asked anew each time. */
export interface DiskRules extends CollectorRules {
  /** Whether the collector runs by itself. */
  readonly automatic: boolean;
  readonly low: Amount;
  readonly high: Amount;
  /** Nanoseconds that things stay in the bin; 0: there is no bin. */
  readonly grace: bigint;
  /** Milliseconds between looks at the disk. */
  readonly interval: number;
}

export interface DiskOptions {
  /** The data root. */
  readonly root: string;
  readonly db: Database;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventSink & EventSource;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly archiver: Archiver;
  readonly images: Pick<Images, 'collectGarbage' | 'find'> & { readonly upkeep: ImageUpkeep };
  readonly volumes: Volumes & VolumeUpkeep;
  readonly cache?: BuildCache;
  readonly daemonId: string;
  readonly containers: () => readonly DiskUser[];
  readonly rules: () => DiskRules;
  /** The file system under the data root; for tests. */
  readonly space?: () => FreeSpace;
}

/** Milliseconds for which a collection that freed too little is not repeated by writes. */
const pause = 30_000;

class LocalDisk implements Disk {
  readonly #options: DiskOptions;
  readonly #accounting: Accounting;
  readonly #bin: Bin;
  readonly #collector: Collector;
  readonly #uses: LastUses;
  /** Pruning, undoing and collecting go one after the other. */
  readonly #turn = new Limiter(1);
  readonly #counts = new SingleFlight<DiskUse>();
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<unknown> = Promise.resolve();
  #notBefore = 0;
  #making: Promise<void> | undefined;

  constructor(options: DiskOptions) {
    const { upkeep } = options.images;
    const { bsize: block } = statfsSync(options.root);
    const parts = { ...options, images: upkeep, block };
    this.#options = options;
    this.#accounting = new Accounting(parts);
    this.#bin = new Bin({
      ...parts,
      grace: () => options.rules().grace,
      hasRoom: () => !this.#isLow(),
    });
    this.#uses = new LastUses({
      ...options,
      images: () => upkeep.holdings().map(({ id }) => id),
      imageOf: (reference) => options.images.find(reference)?.id,
      imagesOf: (id) => options.containers().find((user) => user.id === id)?.images ?? [],
    });
    this.#collector = new Collector({
      ...options,
      block,
      upkeep,
      bin: this.#bin,
      cache: options.cache,
      lastUse: (image) => this.#uses.of(image),
      space: () => this.#space(),
    });
  }

  start(): void {
    this.#uses.start(this.#closing.signal);
    this.#look();
  }

  /** Looks at the disk now and then: what is over in the bin goes, and room is made where it is low. */
  #look(): void {
    const work = async (): Promise<void> => {
      await this.#turn.run(() => this.#expire());
      if (this.#options.rules().automatic && this.#isLow()) await this.collect({ cause: 'low space' });
    };
    this.#working = work().catch((error: unknown) => {
      if (this.#closing.signal.aborted) return;
      this.#options.logger.warn({ error: messageOf(error) }, 'looking after the disk failed');
    });
    void this.#working.then(() => {
      if (this.#closing.signal.aborted) return;
      this.#timer = setTimeout(() => this.#look(), this.#options.rules().interval);
      this.#timer.unref();
    });
  }

  async #expire(): Promise<void> {
    for (const entry of this.#bin.expired()) {
      this.#closing.signal.throwIfAborted();
      const bytes = await this.#bin.remove(entry);
      const { kind, id, names } = entry;
      this.#options.logger.info({ kind, id, names, bytes }, 'removed from the bin: its time was over');
    }
  }

  #space(): FreeSpace {
    return this.#options.space?.() ?? readFreeSpace(this.#options.root, this.#options.rules());
  }

  #isLow(): boolean {
    const { free, low } = this.#space();
    return free < low;
  }

  use(kinds: ReadonlySet<UseKind>): Promise<DiskUse> {
    return this.#counts.run([...kinds].sort().join(), (signal) =>
      this.#accounting.use(kinds, AbortSignal.any([signal, this.#closing.signal])),
    );
  }

  prune(options: { readonly now: boolean }): Prune {
    const prune = this.#bin.prune(options);
    return {
      binned: prune.binned,
      image: (id) => this.#turn.run(() => prune.image(id)),
      volume: (name) => this.#turn.run(() => prune.volume(name)),
    };
  }

  bin(): Promise<readonly BinEntry[]> {
    return this.#bin.list(this.#closing.signal);
  }

  undo(options: { readonly id?: string; readonly name?: string }): Promise<readonly Undone[]> {
    return this.#turn.run(() => this.#bin.undo(options));
  }

  empty(kinds: ReadonlySet<BinEntry['kind']>): Promise<number> {
    return this.#turn.run(async () => {
      let bytes = 0;
      for (const entry of this.#bin.ofKinds(kinds)) bytes += await this.#bin.remove(entry);
      return bytes;
    });
  }

  collect(options: CollectOptions): Promise<CollectorReport> {
    return this.#turn.run(() => this.#collector.run(options, this.#closing.signal));
  }

  async makeRoom(bytes: number, cause: string): Promise<void> {
    if (!this.#options.rules().automatic || performance.now() < this.#notBefore) return;
    const { free, low, high } = this.#space();
    if (low === 0 || free - bytes >= low) return;
    this.#making ??= this.#make(high + bytes, cause).finally(() => (this.#making = undefined));
    await this.#making;
  }

  async #make(free: number, cause: string): Promise<void> {
    try {
      const { freed, wanted } = await this.collect({ cause, free });
      if (freed < wanted) this.#notBefore = performance.now() + pause;
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#options.logger.warn({ cause, error: messageOf(error) }, 'making room on the disk failed');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the daemon is stopping'));
    clearTimeout(this.#timer);
    await Promise.all([this.#working, this.#making]);
    await this.#turn.run(() => Promise.resolve());
  }
}

/** To be started after images, volumes and containers were; disposed before them. */
export const createDisk = (options: DiskOptions): Disk => new LocalDisk(options);
