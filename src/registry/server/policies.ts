import type { Clock, Logger } from '#kernel';
import type { AccessControl, AccessRule, Authenticator } from './access.ts';
import { matches } from './access.ts';
import type { Call } from './answer.ts';
import { Inventory } from './inventory.ts';
import type { DeliveryParts } from './notifications/delivery.ts';
import type { EndpointSettings } from './notifications/endpoint.ts';
import { Notifier } from './notifications/notifier.ts';
import { Outbox } from './notifications/outbox.ts';
import type { Metrics } from './observation/metrics.ts';
import type { Deletion, ManifestObserver } from './observer.ts';
import { Quotas, type QuotaRule } from './quotas.ts';
import type { ManifestEntry, RegistryStore } from './registry-store.ts';
import { Retention } from './retention/retention.ts';
import type { RetentionRule } from './retention/rules.ts';

/** What a registry does by rule; all of it may change while it serves. */
export interface PolicySettings {
  readonly authenticator?: Authenticator | undefined;
  readonly rules?: readonly AccessRule[] | undefined;
  readonly readOnly?: boolean | undefined;
  /** `repository:tag` patterns whose tags are never moved nor removed. */
  readonly immutableTags?: readonly string[] | undefined;
  /** `repository:tag` patterns whose tags no retention rule removes. */
  readonly protectedTags?: readonly string[] | undefined;
  readonly retention?: readonly RetentionRule[] | undefined;
  readonly quotas?: readonly QuotaRule[] | undefined;
  readonly webhooks?: readonly EndpointSettings[] | undefined;
}

export interface PolicyParts {
  readonly store: RegistryStore;
  readonly access: AccessControl;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly firstPause?: DeliveryParts['firstPause'];
}

/** The rules in force, and those who act on them. */
export class Policies implements ManifestObserver, AsyncDisposable {
  readonly inventory: Inventory;
  readonly quotas: Quotas;
  readonly retention: Retention;
  readonly notifier: Notifier;
  readonly #parts: PolicyParts;
  #settings: PolicySettings;

  constructor(parts: PolicyParts, settings: PolicySettings) {
    const { store, clock, logger, metrics, firstPause } = parts;
    this.#parts = parts;
    this.#settings = settings;
    this.inventory = new Inventory(store.database);
    this.quotas = new Quotas(this.inventory, []);
    this.retention = new Retention(
      { store, inventory: this.inventory, observer: this, clock },
      { rules: [], immutableTags: [], protectedTags: [] },
    );
    const outbox = new Outbox(store.database, clock);
    this.notifier = new Notifier({
      outbox,
      clock,
      logger,
      firstPause,
      count: (...one) => metrics.notified(...one),
    });
    this.#apply(settings);
  }

  /** Puts other rules in force. `port`: the registry's own, for notifications. */
  async configure(settings: PolicySettings, port: number | undefined): Promise<void> {
    this.#apply(settings);
    await this.notifier.configure(settings.webhooks ?? [], port);
  }

  get readOnly(): boolean {
    return this.#settings.readOnly ?? false;
  }

  isImmutable(repository: string, tag: string): boolean {
    return this.#settings.immutableTags?.some(matches(`${repository}:${tag}`)) ?? false;
  }

  pulled(call: Call, repository: string, manifest: ManifestEntry, tag: string | undefined): void {
    this.inventory.notePull(repository, manifest.digest, this.#parts.clock.now());
    // A HEAD is a look, whether what somebody has is still the newest.
    if (call.method !== 'GET') return;
    this.#parts.metrics.manifest('pull');
    this.notifier.pulled(call, repository, manifest, tag);
  }

  pushed(call: Call, repository: string, manifest: ManifestEntry, tags: readonly string[]): void {
    this.#parts.metrics.manifest('push');
    this.notifier.pushed(call, repository, manifest, tags);
  }

  deleted(call: Call | undefined, repository: string, deletion: Deletion): void {
    this.#parts.metrics.manifest('delete');
    this.notifier.deleted(call, repository, deletion);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.notifier[Symbol.asyncDispose]();
  }

  #apply(settings: PolicySettings): void {
    const { immutableTags = [], protectedTags = [], retention = [], quotas = [] } = settings;
    this.#settings = settings;
    this.#parts.access.configure(settings.authenticator, settings.rules);
    this.quotas.rules = quotas;
    this.retention.settings = { rules: retention, immutableTags, protectedTags };
  }
}
