import type { HostConfig, UpdateConfig } from '#api/types';
import { conflict, invalidArgument } from '#kernel';
import { discardUnsupported } from '../create/discard-unsupported.ts';
import { validateResources } from '../create/validate-resources.ts';
import { validateRestart, type HostFacts } from '../create/validate.ts';

export interface Change {
  /** What of the request remains. */
  readonly update: UpdateConfig;
  readonly warnings: readonly string[];
}

/** Checks a request by itself, in Docker's words; what this kernel lacks is left out with a warning. */
export function checkUpdate(request: UpdateConfig, facts: HostFacts): Change {
  const { RestartPolicy: policy, ...limits } = request;
  const { Memory: memory = 0, MemorySwap: swap = 0 } = limits;
  if (limits.IOMaximumIOps || limits.IOMaximumBandwidth) {
    throw invalidArgument(
      'Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps',
    );
  }
  const { host, warnings } = discardUnsupported(limits, facts.kernel);
  // Swap alone is checked against the memory limit that is set already.
  validateResources(memory === 0 && swap > 0 ? { ...host, MemorySwap: 0 } : host, facts);
  if (policy?.Name) validateRestart(policy, false);
  return { update: { ...host, ...(policy && { RestartPolicy: policy }) }, warnings };
}

type Field = 'NanoCpus' | 'CpuPeriod' | 'CpuQuota';

/** Processor time is given in one of two ways; which one is settled by the first. */
const rivals: readonly { readonly asked: Field; readonly set: Field; readonly message: string }[] = [
  { asked: 'NanoCpus', set: 'CpuPeriod', message: 'Nano CPUs cannot be updated as CPU Period' },
  { asked: 'NanoCpus', set: 'CpuQuota', message: 'Nano CPUs cannot be updated as CPU Quota' },
  { asked: 'CpuPeriod', set: 'NanoCpus', message: 'CPU Period cannot be updated as NanoCPUs' },
  { asked: 'CpuQuota', set: 'NanoCpus', message: 'CPU Quota cannot be updated as NanoCPUs' },
];

/** Fields that stay as they are when the request has zero or nothing in them. */
const changeable = [
  'BlkioWeight',
  'CpuShares',
  'NanoCpus',
  'CpuPeriod',
  'CpuQuota',
  'CpusetCpus',
  'CpusetMems',
  'Memory',
  'MemorySwap',
  'MemoryReservation',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
] as const;

/** The host configuration with the request's changes. Throws conflict where they do not fit what is set already. */
export function withUpdate(host: HostConfig, update: UpdateConfig): HostConfig {
  refuseConflicts(host, update);
  const { PidsLimit: pids = null, RestartPolicy: policy = {} } = update;
  const changes = changeable.flatMap((name) => (update[name] ? [[name, update[name]] as const] : []));
  return {
    ...host,
    ...Object.fromEntries(changes),
    ...(pids !== null && { PidsLimit: Math.max(0, pids) }),
    ...(policy.Name && {
      RestartPolicy: { Name: policy.Name, MaximumRetryCount: policy.MaximumRetryCount ?? 0 },
    }),
  };
}

function refuseConflicts(host: HostConfig, update: UpdateConfig): void {
  for (const { asked, set, message } of rivals) {
    if ((update[asked] ?? 0) > 0 && (host[set] ?? 0) > 0) {
      throw conflict(`Conflicting options: ${message} has already been set`);
    }
  }
  const { Memory: memory = 0, MemorySwap: swap = 0, RestartPolicy: policy } = update;
  if (memory !== 0 && swap === 0 && memory > (host.MemorySwap ?? 0)) {
    throw conflict(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    );
  }
  if (policy?.Name && policy.Name !== 'no' && host.AutoRemove) {
    throw conflict('Restart policy cannot be updated because AutoRemove is enabled for the container');
  }
}
