import type { WireEvent } from './engine.ts';

/** An event without what differs from run to run: ids become names in the order they appear. */
export interface PlainEvent {
  readonly Type: string;
  readonly Action: string;
  readonly ID: string;
  readonly Attributes: Readonly<Record<string, string>>;
}

const timed = new Set(['execDuration', 'reclaimed']);

/** Replaces ids in one scene's events. */
export function normalise(events: readonly WireEvent[]): PlainEvent[] {
  const names = new Map<string, string>();
  const plain = (text: string): string =>
    text.replaceAll(/(sha256:)?[0-9a-f]{64}/g, (id) => {
      const name = names.get(id) ?? `<id ${names.size + 1}>`;
      names.set(id, name);
      return name;
    });
  return events.map(({ Type, Action, Actor }) => ({
    Type,
    Action: plain(Action),
    ID: plain(Actor.ID),
    Attributes: Object.fromEntries(
      Object.entries(Actor.Attributes)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => [name, timed.has(name) ? `<${name}>` : plain(value)]),
    ),
  }));
}
