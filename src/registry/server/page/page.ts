import type { ContentStore } from '#content';
import type { Clock } from '#kernel';
import type { AccessControl, Caller } from '../access.ts';
import type { Call } from '../answer.ts';
import type { Inventory } from '../inventory.ts';
import type { Manifests } from '../manifests.ts';
import type { Quotas } from '../quotas.ts';
import { RegistryError } from '../registry-error.ts';
import type { RegistryStore } from '../registry-store.ts';
import type { Markup } from './markup.ts';

export interface PageParts {
  readonly store: RegistryStore;
  readonly access: AccessControl;
  readonly content: ContentStore;
  readonly clock: Clock;
  readonly inventory: Inventory;
  readonly quotas: Quotas;
  readonly manifests: Manifests;
  readonly policies: {
    readonly readOnly: boolean;
    isImmutable(repository: string, tag: string): boolean;
  };
}

/** Who looks, at what. */
export interface Visit {
  readonly call: Call;
  readonly caller: Caller;
  /** The registry's host and port, as the browser has them. */
  readonly host: string;
}

/** One page: what is shown, and how it is called. */
export interface Page {
  readonly title: string;
  readonly content: Markup;
  readonly status?: number;
}

/** The same words for what is not there and for what is not to be seen. */
export const notFound = (): RegistryError =>
  new RegistryError(404, 'NAME_UNKNOWN', 'There is nothing here, or nothing that you may see.');
