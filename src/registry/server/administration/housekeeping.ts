import { KeyedLock, messageOf, type Logger } from '#kernel';
import type { Collected } from '../collector.ts';
import type { Settings } from '../configuration/settings.ts';
import type { RegistryServer } from '../registry-server.ts';
import type { RetentionPlan } from '../retention/plan.ts';

/** What a round did. */
export interface HousekeepingReport {
  readonly retention: readonly RetentionPlan[];
  readonly collected: Collected;
}

export interface RoundOptions {
  readonly dryRun: boolean;
  /** Names or patterns, for retention rules; all where it is empty. */
  readonly repositories: readonly string[];
  /** Retention rules alone, no garbage collection. */
  readonly retentionOnly: boolean;
  /** Instead of what the registry was started with. */
  readonly graceMs: number | undefined;
  readonly untagged: boolean | undefined;
}

const everything: RoundOptions = {
  dryRun: false,
  repositories: [],
  retentionOnly: false,
  graceMs: undefined,
  untagged: undefined,
};

const nothing: Collected = { uploads: 0, manifests: 0, blobs: 0, bytes: 0 };

/** Retention rules, then garbage collection: by the clock, and when somebody asks. One round at a time. */
export class HousekeepingRounds implements AsyncDisposable {
  readonly #server: RegistryServer;
  readonly #collection: Settings['collection'];
  readonly #logger: Logger;
  readonly #rounds = new KeyedLock();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(server: RegistryServer, settings: Pick<Settings, 'collection' | 'intervalMs'>, logger: Logger) {
    this.#server = server;
    this.#collection = settings.collection;
    this.#logger = logger;
    if (settings.intervalMs > 0) this.#timer = setInterval(() => void this.#onTime(), settings.intervalMs);
  }

  async run(options: RoundOptions): Promise<HousekeepingReport> {
    const { dryRun, repositories } = options;
    const graceMs = options.graceMs ?? this.#collection.graceMs;
    const untagged = options.untagged ?? this.#collection.untagged;
    await using _lock = await this.#rounds.acquire('');
    const retention = await this.#server.retain({ dryRun, graceMs, repositories });
    if (!dryRun) this.#tell(retention);
    if (options.retentionOnly) return { retention, collected: nothing };
    if (dryRun) return { retention, collected: this.#server.rehearse({ graceMs, untagged }, retention) };
    const collected = await this.#server.collect({ graceMs, untagged });
    this.#logger.info({ ...collected }, 'garbage collected');
    return { retention, collected };
  }

  #tell(plans: readonly RetentionPlan[]): void {
    for (const { repository, tags, manifests } of plans) {
      const removed = tags.filter(({ kept }) => !kept).map(({ tag, why }) => ({ tag, why }));
      if (removed.length + manifests.length === 0) continue;
      this.#logger.info({ repository, tags: removed, manifests }, 'removed by retention rules');
    }
  }

  /** Once a round that is under way has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await using _lock = await this.#rounds.acquire('');
  }

  async #onTime(): Promise<void> {
    // One that takes longer than the interval is not followed by a second at once.
    if (this.#rounds.size > 0) return;
    try {
      await this.run(everything);
    } catch (error) {
      this.#logger.error({ error: messageOf(error) }, 'garbage collection failed');
    }
  }
}
