import type { ContainerState, ContainerStatus, Health } from '#api/types';
import type { ContainerRecord, HealthRecord } from '#containers';
import { formatTime, zeroTime } from '#kernel';
import { humanDuration } from './human-duration.ts';

type Exited = Extract<ContainerRecord['state'], { status: 'exited' }>;

/** Shown for an exit that nobody saw. */
const unseenExitCode = 255;

export const exitCodeOf = (exit: Exited): number => exit.exitCode ?? unseenExitCode;

/** The status as the wire spells it. */
export function wireStatus(record: ContainerRecord): ContainerStatus {
  const { state } = record;
  return state.status === 'running' && state.paused ? 'paused' : state.status;
}

/** The last run's end, if the container is not running and ever ran. */
export function lastExit(record: ContainerRecord): Exited | undefined {
  const { state } = record;
  if (state.status === 'exited') return state;
  if (state.status === 'created' || state.status === 'running') return undefined;
  return state.last;
}

/** The `State` of inspect: overlapping booleans made of the record's one state. */
export function viewState(record: ContainerRecord): ContainerState {
  const { state, health } = record;
  return {
    Status: wireStatus(record),
    // A container that waits for its restart counts as running.
    Running: state.status === 'running' || state.status === 'restarting',
    Paused: state.status === 'running' && state.paused,
    Restarting: state.status === 'restarting',
    OOMKilled: false,
    Dead: state.status === 'dead',
    Pid: 0,
    ExitCode: 0,
    Error: '',
    StartedAt: zeroTime,
    FinishedAt: zeroTime,
    ...viewRun(record),
    ...(health && health.status !== 'none' && { Health: viewHealth(health) }),
  };
}

/** What is known of the current or last run. */
function viewRun(record: ContainerRecord): Partial<ContainerState> {
  const { state } = record;
  if (state.status === 'running') {
    const { pid, startedAt, lastFinishedAt: ended } = state;
    return {
      Pid: pid,
      StartedAt: formatTime(startedAt),
      ...(ended !== undefined && { FinishedAt: formatTime(ended) }),
    };
  }
  if (state.status === 'created') {
    return state.failure ? { ExitCode: state.failure.exitCode, Error: state.failure.message } : {};
  }
  const last = lastExit(record);
  if (!last) return {};
  return {
    OOMKilled: last.oomKilled,
    ExitCode: exitCodeOf(last),
    Error: last.error ?? '',
    StartedAt: formatTime(last.startedAt),
    FinishedAt: formatTime(last.finishedAt),
  };
}

const viewHealth = (health: HealthRecord): Health => ({
  Status: health.status,
  FailingStreak: health.failingStreak,
  Log: health.log,
});

/** `Up 2 minutes (healthy)`, `Exited (137) 5 seconds ago` … `now`: nanoseconds since the epoch. */
export function statusText(record: ContainerRecord, now: bigint): string {
  const { state } = record;
  const since = (time: bigint): string => humanDuration(now > time ? now - time : 0n);
  switch (state.status) {
    case 'created':
      return 'Created';
    case 'running': {
      const up = `Up ${since(state.startedAt)}`;
      return state.paused ? `${up} (Paused)` : `${up}${healthText(record.health)}`;
    }
    case 'restarting':
      return `Restarting (${exitCodeOf(state.last)}) ${since(state.last.finishedAt)} ago`;
    case 'exited':
      return `Exited (${exitCodeOf(state)}) ${since(state.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
  }
}

function healthText(health: HealthRecord | undefined): string {
  if (!health || health.status === 'none') return '';
  return health.status === 'starting' ? ' (health: starting)' : ` (${health.status})`;
}
