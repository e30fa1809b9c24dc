import { join } from 'node:path';
import type { PortRequest, PublishedPort } from './networks.ts';
import type { NetworksOptions } from './networks-options.ts';
import type { StoredEndpoint } from './sandbox-store.ts';

/** A sandbox that is open, with what it takes to rebuild it. */
export interface OpenSandbox {
  readonly containerId: string;
  readonly path: string;
  containerName: string;
  readonly hostname: string;
  readonly requests: readonly PortRequest[];
  readonly dns: readonly string[] | undefined;
  readonly isSilent: boolean;
  ports: readonly PublishedPort[];
  endpoints: StoredEndpoint[];
}

/** Where a container's namespace is mounted. */
export const netnsPath = (options: Pick<NetworksOptions, 'runFolder'>, containerId: string): string =>
  join(options.runFolder, 'netns', containerId);
