import type { RestartPolicy } from '#api/types';

const firstDelay = 100;
const longestDelay = 60_000;
/** A run at least this long starts the back-off anew, in nanoseconds. */
const settled = 10_000_000_000n;

export interface ExitFacts {
  readonly exitCode: number | undefined;
  readonly ranFor: bigint;
  readonly restartCount: number;
  readonly stoppedByUser: boolean;
  /** The engine has ended the run because its health was lost. */
  readonly endedUnhealthy: boolean;
  /** A health check has succeeded during the run. */
  readonly wasHealthy: boolean;
  /** Delay before the run that has just ended, in milliseconds; 0: it was no restart. */
  readonly lastDelay: number;
}

/** Whether and after how many milliseconds a container that has exited is started again; undefined: not. Pure. */
export function restartDelay(policy: RestartPolicy, exit: ExitFacts): number | undefined {
  if (exit.stoppedByUser || !(exit.endedUnhealthy || wants(policy, exit))) return undefined;
  // A run that never was healthy has not settled, however long its checks took to say so.
  const hasSettled = exit.ranFor >= settled && (exit.wasHealthy || !exit.endedUnhealthy);
  if (hasSettled || exit.lastDelay === 0) return firstDelay;
  return Math.min(exit.lastDelay * 2, longestDelay);
}

function wants(policy: RestartPolicy, exit: Pick<ExitFacts, 'exitCode' | 'restartCount'>): boolean {
  if (policy.Name === 'always' || policy.Name === 'unless-stopped') return true;
  if (policy.Name !== 'on-failure' || exit.exitCode === 0) return false;
  const most = policy.MaximumRetryCount ?? 0;
  return most === 0 || exit.restartCount < most;
}

/** Whether a container that is down when the daemon starts is to be started. As Docker has it, only `unless-stopped` remembers a stop. */
export function startsAtBoot(
  policy: RestartPolicy,
  last: Pick<ExitFacts, 'exitCode' | 'restartCount' | 'stoppedByUser'>,
): boolean {
  if (policy.Name === 'unless-stopped') return !last.stoppedByUser;
  return wants(policy, last);
}
