import type { ContainerMount } from './container-record.ts';

/** What a run has told of its beginning, and so has to tell of its end. In memory: a daemon that dies tells nothing. */
export interface Announced {
  mounts: readonly ContainerMount[];
  network: { readonly id: string; readonly name: string; readonly type: string } | undefined;
}
