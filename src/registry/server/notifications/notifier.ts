import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { matches } from '../access.ts';
import type { Call } from '../answer.ts';
import type { Deletion, ManifestObserver } from '../observer.ts';
import type { ManifestEntry } from '../registry-store.ts';
import { Delivery, type DeliveryParts } from './delivery.ts';
import { Endpoint, type EndpointSettings } from './endpoint.ts';
import { envelopeOf, type EventTarget, type NotifiedAction } from './envelope.ts';

/** Tells endpoints what happens: writes each event down with the change it is about, and delivers it after that. */
export class Notifier implements ManifestObserver, AsyncDisposable {
  readonly #parts: DeliveryParts;
  readonly #instance = randomUUID();
  #address = hostname();
  #deliveries = new Map<string, { readonly settings: EndpointSettings; readonly delivery: Delivery }>();

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  /** Begins to deliver to these endpoints, and to no others. */
  async configure(endpoints: readonly EndpointSettings[], port: number | undefined): Promise<void> {
    if (port !== undefined) this.#address = `${hostname()}:${port}`;
    for (const { delivery } of this.#deliveries.values()) await delivery[Symbol.asyncDispose]();
    const { outbox, logger } = this.#parts;
    const dropped = outbox.keepOnly(endpoints.map(({ name }) => name));
    if (dropped > 0) logger.warn({ dropped }, 'notifications of endpoints that are no longer configured');
    this.#deliveries = new Map(
      endpoints.map((settings) => [
        settings.name,
        { settings, delivery: new Delivery(new Endpoint(settings), this.#parts) },
      ]),
    );
  }

  /** Notifications that wait, by endpoint. */
  waiting(): ReadonlyMap<string, number> {
    return new Map([...this.#deliveries.keys()].map((name) => [name, this.#parts.outbox.waiting(name)]));
  }

  pulled(call: Call, repository: string, manifest: ManifestEntry, tag: string | undefined): void {
    this.#add('pull', { repository, manifest, tag }, call);
  }

  pushed(call: Call, repository: string, manifest: ManifestEntry, tags: readonly string[]): void {
    for (const tag of tags.length === 0 ? [undefined] : tags) {
      this.#add('push', { repository, manifest, tag }, call);
    }
  }

  deleted(call: Call | undefined, repository: string, { digest, tags }: Deletion): void {
    if (digest !== undefined) this.#add('delete', { repository, digest }, call);
    for (const tag of tags) this.#add('delete', { repository, tag }, call);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#deliveries.values()].map(({ delivery }) => delivery[Symbol.asyncDispose]()));
  }

  #add(action: NotifiedAction, target: EventTarget, call: Call | undefined): void {
    const interested = [...this.#deliveries.values()].filter(
      ({ settings: { actions, repositories } }) =>
        actions.includes(action) && repositories.some(matches(target.repository)),
    );
    if (interested.length === 0) return;
    const { outbox, clock } = this.#parts;
    const source = { addr: this.#address, instanceID: this.#instance };
    const body = envelopeOf(action, target, { call, source, time: clock.now() });
    for (const { settings, delivery } of interested) {
      outbox.add(settings.name, body);
      // Once the transaction has ended, one way or the other.
      setImmediate(() => delivery.wake());
    }
  }
}
