import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '#kernel';
import { matches } from '../access.ts';
import type { ManifestObserver } from '../observer.ts';
import type { RegistryStore } from '../registry-store.ts';
import type { Inventory } from '../inventory.ts';
import { planRetention, type RetentionPlan } from './plan.ts';
import type { RetentionRule } from './rules.ts';

export interface RetentionSettings {
  readonly rules: readonly RetentionRule[];
  /** `repository:tag` patterns. */
  readonly immutableTags: readonly string[];
  readonly protectedTags: readonly string[];
}

export interface RetentionParts {
  readonly store: RegistryStore;
  readonly inventory: Inventory;
  readonly observer: ManifestObserver;
  readonly clock: Clock;
}

export interface RetentionRun {
  /** Says what would go, and changes nothing. */
  readonly dryRun: boolean;
  /** Milliseconds for which what was just pushed stays. */
  readonly graceMs: number;
  /** Names or patterns; all repositories where it is empty. */
  readonly repositories: readonly string[];
}

/** Applies retention rules to a registry that is being used: each repository is judged and changed in one transaction. */
export class Retention {
  settings: RetentionSettings;
  readonly #parts: RetentionParts;

  constructor(parts: RetentionParts, settings: RetentionSettings) {
    this.#parts = parts;
    this.settings = settings;
  }

  /** Resolves to what was decided on every repository that a rule is about. */
  async run(run: RetentionRun): Promise<readonly RetentionPlan[]> {
    const plans: RetentionPlan[] = [];
    for (const repository of this.#parts.inventory.names()) {
      const isAsked = run.repositories.length === 0 || run.repositories.some(matches(repository));
      if (!isAsked || !this.#isGoverned(repository)) continue;
      plans.push(this.#parts.store.transaction(() => this.#apply(repository, run)));
      // Requests come in between.
      await nextTurn();
    }
    return plans;
  }

  #isGoverned(repository: string): boolean {
    return this.settings.rules.some((rule) => rule.repositories.some(matches(repository)));
  }

  #apply(repository: string, { dryRun, graceMs }: RetentionRun): RetentionPlan {
    const { store, observer } = this.#parts;
    const plan = this.#plan(repository, graceMs);
    if (dryRun) return plan;
    const tags = plan.tags.filter(({ kept }) => !kept).map(({ tag }) => tag);
    for (const tag of tags) store.removeManifest(repository, tag);
    if (tags.length > 0) observer.deleted(undefined, repository, { tags });
    for (const { digest } of plan.manifests) {
      store.removeManifest(repository, digest);
      observer.deleted(undefined, repository, { digest, tags: [] });
    }
    return plan;
  }

  #plan(repository: string, graceMs: number): RetentionPlan {
    const { inventory, clock } = this.#parts;
    const { rules } = this.settings;
    const options = {
      now: clock.now(),
      grace: BigInt(Math.round(graceMs)) * 1_000_000n,
      held: (...name: readonly [string, string]) => this.#held(...name),
    };
    const tags = inventory.tags(repository);
    // Where no tag goes, nothing needs to be known of manifests.
    const first = planRetention({ repository, tags, manifests: new Map() }, rules, options);
    const isDone = first.tags.every(({ kept }) => kept) && rules.every((rule) => rule.untagged === undefined);
    return isDone ? first : planRetention(inventory.state(repository), rules, options);
  }

  #held(repository: string, tag: string): 'immutable' | 'protected' | undefined {
    const name = matches(`${repository}:${tag}`);
    if (this.settings.immutableTags.some(name)) return 'immutable';
    return this.settings.protectedTags.some(name) ? 'protected' : undefined;
  }
}
