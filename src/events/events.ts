/** An event as `/events` shows it (Engine API, EventMessage), without the legacy keys. */
export interface EventMessage {
  readonly Type: 'container' | 'image' | 'network' | 'volume' | 'daemon' | 'builder';
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: 'local';
  /** seconds */
  readonly time: number;
  /** nanoseconds; beyond 2^53, hence a bigint that the view writes as a number */
  readonly timeNano: bigint;
}

export interface EventSink {
  publish(
    type: EventMessage['Type'],
    action: string,
    id: string,
    attributes: Readonly<Record<string, string>>,
  ): void;
}

export interface EventSource {
  /** Buffered events from `since`, then live ones until `until` (both nanoseconds) or abort. */
  subscribe(options: { since?: bigint; until?: bigint; signal: AbortSignal }): AsyncIterable<EventMessage>;
}
