import { messageOf, type Clock, type Logger } from '#kernel';
import type { Endpoint } from './endpoint.ts';
import type { Outbox, WaitingNotification } from './outbox.ts';

/** Milliseconds until the first repetition; each one after that waits twice as long. */
const firstPause = 1000;
const longestPause = 300_000;
/** Milliseconds until records that could not be read are read again. */
const afterFailure = 5_000;

export type DeliveryResult = 'delivered' | 'failed' | 'dropped';

export interface DeliveryParts {
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Is told of each attempt. */
  readonly count: (endpoint: string, result: DeliveryResult) => void;
  /** Milliseconds until the first repetition; a second where nothing is said. */
  readonly firstPause?: number | undefined;
}

/** Delivers what waits for one endpoint, in order and one at a time, until it is disposed. */
export class Delivery implements AsyncDisposable {
  readonly #parts: DeliveryParts;
  readonly #endpoint: Endpoint;
  readonly #ending = new AbortController();
  readonly #done: Promise<void>;
  #news = Promise.withResolvers<undefined>();

  constructor(endpoint: Endpoint, parts: DeliveryParts) {
    this.#endpoint = endpoint;
    this.#parts = parts;
    this.#done = this.#run();
  }

  /** There is something new, or sooner. */
  wake(): void {
    this.#news.resolve(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    this.wake();
    await this.#done;
    await this.#endpoint[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      this.#news = Promise.withResolvers();
      try {
        await this.#step();
      } catch (error) {
        // Records that cannot be read or written now may be later: a disk is not full for ever.
        const endpoint = this.#endpoint.settings.name;
        this.#parts.logger.error({ endpoint, error: messageOf(error) }, 'notifications cannot be read');
        await this.#rest(afterFailure);
      }
    }
  }

  async #step(): Promise<void> {
    const { outbox, clock } = this.#parts;
    const next = outbox.next(this.#endpoint.settings.name);
    const wait = next ? Number(next.dueAt - clock.now()) / 1e6 : Infinity;
    if (!next || wait > 0) await this.#rest(wait);
    else await this.#deliver(next);
  }

  /** Until there is news while nothing waits; a pause after a failure is kept whatever comes in. */
  async #rest(milliseconds: number): Promise<void> {
    if (milliseconds === Infinity) {
      await this.#news.promise;
      return;
    }
    const { signal } = this.#ending;
    const over = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => over.resolve(undefined), milliseconds);
    const end = (): void => over.resolve(undefined);
    signal.addEventListener('abort', end, { once: true });
    await over.promise;
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }

  async #deliver(notification: WaitingNotification): Promise<void> {
    const { outbox, logger, count } = this.#parts;
    const { name, giveUpAfterMs } = this.#endpoint.settings;
    const failure = await this.#endpoint.post(notification.body, this.#ending.signal);
    if (this.#ending.signal.aborted && failure !== undefined) return;
    if (failure === undefined) {
      outbox.remove(notification.id);
      count(name, 'delivered');
      return;
    }
    const attempts = notification.attempts + 1;
    const age = Number(this.#parts.clock.now() - notification.createdAt) / 1e6;
    if (age >= giveUpAfterMs) {
      outbox.remove(notification.id);
      count(name, 'dropped');
      logger.error({ endpoint: name, attempts, error: failure }, 'notification given up');
      return;
    }
    outbox.postpone(notification.id, this.#pause(attempts));
    count(name, 'failed');
    logger.warn({ endpoint: name, attempts, error: failure }, 'notification not delivered');
  }

  #pause(attempts: number): number {
    return Math.min((this.#parts.firstPause ?? firstPause) * 2 ** (attempts - 1), longestPause);
  }
}
