import type { Backends, ServerIdentity } from '../backends.ts';
import type { Route } from '../route.ts';
import { absentRoutes } from './absent.ts';
import { buildPruneRoute } from './build-prune.ts';
import { buildRoutes } from './builds.ts';
import { buildSessionRoutes } from './build-sessions.ts';
import { checkpointRoutes } from './checkpoints.ts';
import { containerListRoutes } from './container-list.ts';
import { containerStreamRoutes } from './container-streams.ts';
import { containerStatsRoutes } from './container-stats.ts';
import { containerRoutes } from './containers.ts';
import { diskRoutes } from './disk.ts';
import { diskUsageRoutes } from './disk-usage.ts';
import { eventRoutes } from './events.ts';
import { execRoutes } from './execs.ts';
import { imageHandoverRoutes } from './image-handover.ts';
import { imageTransferRoutes } from './image-transfers.ts';
import { imageVerificationRoutes } from './image-verification.ts';
import { imageRoutes } from './images.ts';
import { networkRoutes } from './networks.ts';
import { registryRoutes } from './registries.ts';
import { systemRoutes } from './system.ts';
import { volumeRoutes } from './volumes.ts';

/** Every operation. Of paths that overlap the fixed ones stand before those with names. */
export function allRoutes(backends: Backends, identity: ServerIdentity): readonly Route[] {
  const listeners = { count: 0 };
  return [
    ...systemRoutes(backends, identity, () => listeners.count),
    ...eventRoutes(backends.events, listeners),
    ...containerListRoutes(backends),
    ...containerStreamRoutes(backends),
    ...containerStatsRoutes(backends),
    ...checkpointRoutes(backends, identity),
    ...containerRoutes(backends),
    ...execRoutes(backends),
    ...imageHandoverRoutes(backends),
    ...imageTransferRoutes(backends),
    ...(backends.builds
      ? [
          ...buildRoutes(backends, backends.builds, backends.buildKit),
          buildPruneRoute(backends.builds, backends.clock),
        ]
      : []),
    ...(backends.buildKit ? buildSessionRoutes(backends.buildKit) : []),
    ...registryRoutes(backends),
    ...imageVerificationRoutes(backends),
    ...imageRoutes(backends),
    ...networkRoutes(backends),
    ...volumeRoutes(backends),
    ...diskUsageRoutes(backends),
    ...diskRoutes(backends),
    ...absentRoutes,
  ];
}
