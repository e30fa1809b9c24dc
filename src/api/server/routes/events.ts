import type { EventMessage, EventSource } from '#events';
import { invalidArgument } from '#kernel';
import type { Exchange } from '../exchange.ts';
import type { Filters } from '../filters.ts';
import { drained } from '../hijack/raw-stream.ts';
import type { Route } from '../route.ts';
import { eventFormat, tellsEvent } from '../versions/index.ts';
import { eventLine } from '../views/event.ts';

/** GET /events. `listeners` counts the open streams. */
export function eventRoutes(events: EventSource, listeners: { count: number }): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/events',
      operation: 'SystemEvents',
      handle: async (exchange) => {
        const filters = exchange.query.filters(undefined);
        const since = exchange.query.time('since');
        const until = exchange.query.time('until');
        if (since !== undefined && until !== undefined && since > until) {
          const { query } = exchange;
          throw invalidArgument(
            `\`since\` time (${query.text('since')}) cannot be after \`until\` time (${query.text('until')})`,
          );
        }
        listeners.count += 1;
        try {
          await stream(exchange, filters, events.subscribe(subscription(exchange.signal, since, until)));
        } finally {
          listeners.count -= 1;
        }
        return undefined;
      },
    },
  ];
}

const subscription = (
  signal: AbortSignal,
  since: bigint | undefined,
  until: bigint | undefined,
): Parameters<EventSource['subscribe']>[0] => ({
  signal,
  ...(since !== undefined && { since }),
  ...(until !== undefined && { until }),
});

async function stream(
  exchange: Exchange,
  filters: Filters,
  events: AsyncIterable<EventMessage>,
): Promise<void> {
  const { contentType, before } = eventFormat(exchange.version, exchange.header('accept'));
  const response = exchange.startStream(contentType);
  try {
    for await (const event of events) {
      if (!matches(filters, event) || !tellsEvent(exchange.version, event)) continue;
      if (!response.write(before + eventLine(event, exchange.version))) await drained(response);
    }
  } catch (error) {
    if (!exchange.signal.aborted) throw error;
  }
  response.end();
}

/** Whether an event passes the filters; an unknown filter lets everything pass. */
function matches(filters: Filters, event: EventMessage): boolean {
  const { Attributes } = event.Actor;
  return (
    filters.exact('type', event.Type) &&
    filters.exact('scope', event.scope) &&
    eventNamed(filters, event.Action) &&
    filters.labels(Attributes) &&
    (['container', 'network', 'volume', 'daemon'] as const).every((type) => actor(filters, type, event)) &&
    ofImage(filters, event)
  );
}

/** `exec_create: ls` passes the filter `exec_create`, `health_status: healthy` both with and without its status. */
function eventNamed(filters: Filters, action: string): boolean {
  return filters.exact('event', action) || filters.exact('event', action.split(':')[0] ?? action);
}

/** As in Docker whatever bears the id or the name passes, of this type or not, and the start of either is enough. */
const actor = (filters: Filters, type: EventMessage['Type'], { Actor }: EventMessage): boolean =>
  filters.prefix(type, Actor.ID) || filters.prefix(type, Actor.Attributes['name'] ?? '');

function ofImage(filters: Filters, { Type, Actor }: EventMessage): boolean {
  const name = Actor.Attributes[Type === 'image' ? 'name' : 'image'] ?? '';
  return [Actor.ID, name, withoutTag(Actor.ID), withoutTag(name)].some((text) =>
    filters.exact('image', text),
  );
}

const withoutTag = (name: string): string => name.replace(/:[^/:]*$/, '');
