export type EventType =
  | 'builder'
  | 'config'
  | 'container'
  | 'daemon'
  | 'image'
  | 'network'
  | 'node'
  | 'plugin'
  | 'secret'
  | 'service'
  | 'volume';

export interface EventActor {
  readonly ID: string;
  readonly Attributes: Readonly<Record<string, string>>;
}

/** One object of the stream of GET /events. */
export interface EventMessage {
  readonly Type: EventType;
  readonly Action: string;
  readonly Actor: EventActor;
  readonly scope?: 'local' | 'swarm';
  /** seconds since the epoch */
  readonly time: number;
  /** nanoseconds since the epoch: JSON.parse() rounds it to a few hundred */
  readonly timeNano: number;
  /** Before 1.52, in events of containers and images. */
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
}
