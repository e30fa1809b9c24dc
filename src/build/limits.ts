import type { HostConfig } from '#api/types';

/**
 * Where a build's commands run and how much they may have, as a container's create request says it. No part of what a
 * step is known by: they change whether a command succeeds, not what comes of it.
 */
export type CommandLimits = Pick<
  HostConfig,
  | 'Memory'
  | 'MemorySwap'
  | 'CpuShares'
  | 'CpuPeriod'
  | 'CpuQuota'
  | 'CpusetCpus'
  | 'CpusetMems'
  | 'Ulimits'
  | 'ShmSize'
  | 'CgroupParent'
>;
