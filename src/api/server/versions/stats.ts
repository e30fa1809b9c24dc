import type { ContainerStatsResponse } from '#api/types';
import { apiVersion, type ApiVersion } from '../api-version.ts';
import { without, type JsonObject } from './json-object.ts';

const namedPlatform = apiVersion('1.52');

/**
 * A sample as clients of the version know it. Before 1.52 the platform was not named, and a lone sample of a running
 * container not even the container.
 */
export function lowerStats(
  version: ApiVersion,
  stats: ContainerStatsResponse,
  { oneShot }: { readonly oneShot: boolean },
): ContainerStatsResponse | JsonObject {
  if (version >= namedPlatform) return stats;
  const lone = oneShot && stats.cpu_stats.online_cpus !== undefined;
  return without({ ...stats }, 'os_type', ...(lone ? ['name', 'id'] : []));
}
