import type { Clock } from '#kernel';
import type { EventMessage, EventSink, EventSource } from './events.ts';

/** As many as Docker replays. */
const buffered = 256;
/** A subscriber that falls further behind than this is cut off, so that memory stays bounded. */
const backlogLimit = 16_384;

interface Subscriber {
  readonly backlog: EventMessage[];
  wake: (() => void) | undefined;
  overrun: boolean;
}

/** Keeps the last events and hands new ones to every subscriber, in the order they were published. */
export class EventBroker implements EventSink, EventSource {
  readonly #clock: Clock;
  readonly #recent: EventMessage[] = [];
  readonly #subscribers = new Set<Subscriber>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Number of streams being served. */
  get subscribers(): number {
    return this.#subscribers.size;
  }

  publish(
    type: EventMessage['Type'],
    action: string,
    id: string,
    attributes: Readonly<Record<string, string>>,
  ): void {
    const timeNano = this.#clock.now();
    const message: EventMessage = {
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      scope: 'local',
      time: Number(timeNano / 1_000_000_000n),
      timeNano,
    };
    this.#recent.push(message);
    if (this.#recent.length > buffered) this.#recent.shift();
    for (const subscriber of this.#subscribers) {
      if (subscriber.backlog.length >= backlogLimit) subscriber.overrun = true;
      else subscriber.backlog.push(message);
      subscriber.wake?.();
    }
  }

  /** Subscribes at once, not at the first read: what is published in between is not lost. */
  subscribe(options: { since?: bigint; until?: bigint; signal: AbortSignal }): AsyncIterable<EventMessage> {
    const { since, until } = options;
    const backlog =
      since === undefined && until === undefined
        ? []
        : this.#recent.filter((event) => event.timeNano >= (since ?? 0n) && within(event, until));
    const subscriber: Subscriber = { backlog, wake: undefined, overrun: false };
    this.#subscribers.add(subscriber);
    options.signal.addEventListener('abort', () => this.#drop(subscriber), { once: true });
    return this.#read(subscriber, until, options.signal);
  }

  #drop(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    subscriber.wake?.();
  }

  async *#read(
    subscriber: Subscriber,
    until: bigint | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<EventMessage, void> {
    let timer: NodeJS.Timeout | undefined;
    let expired = false;
    if (until !== undefined) {
      const delay = Number((until - this.#clock.now()) / 1_000_000n);
      if (delay <= 0) expired = true;
      else {
        timer = setTimeout(
          () => {
            expired = true;
            subscriber.wake?.();
          },
          Math.min(delay, 2 ** 31 - 1),
        );
      }
    }
    try {
      while (!signal.aborted) {
        const next = subscriber.backlog.shift();
        if (next) {
          if (within(next, until)) yield next;
          continue;
        }
        if (expired || subscriber.overrun) return;
        await new Promise<void>((resolve) => {
          subscriber.wake = resolve;
        });
        subscriber.wake = undefined;
      }
    } finally {
      clearTimeout(timer);
      this.#subscribers.delete(subscriber);
    }
  }
}

const within = (event: EventMessage, until: bigint | undefined): boolean =>
  until === undefined || event.timeNano <= until;
