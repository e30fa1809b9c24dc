import type { ContentStore } from '#content';
import type { Clock, KeyedLock, Logger } from '#kernel';
import type { RegistryClient, Repository } from '#registry/client';
import type { RegistryStore } from '../registry-store.ts';
import type { Upstream } from './upstreams.ts';

export interface PullThroughParts {
  readonly content: ContentStore;
  readonly store: RegistryStore;
  readonly digests: KeyedLock;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly client: RegistryClient;
}

/** A repository here, and what it is a copy of. */
export interface Copy {
  readonly repository: string;
  readonly upstream: Upstream;
  readonly remote: Repository;
}
