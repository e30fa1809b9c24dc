import { conflict } from '#kernel';
import type { ContainerState, Exited, Running, StartFailure } from './container-record.ts';

export type ContainerEvent =
  | { readonly type: 'started'; readonly pid: number; readonly at: bigint }
  | { readonly type: 'startFailed'; readonly failure: StartFailure; readonly at: bigint }
  | {
      readonly type: 'exited';
      readonly exitCode: number | undefined;
      readonly at: bigint;
      readonly oomKilled: boolean;
      readonly error?: string;
    }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed' }
  | { readonly type: 'restartPlanned'; readonly at: bigint }
  | { readonly type: 'restartCancelled' }
  | { readonly type: 'removing' }
  | { readonly type: 'removalFailed' };

type Move = (state: ContainerState, event: ContainerEvent) => ContainerState | undefined;

/** The end of the last run, if the container is not running and ever ran. */
export const lastExit = (state: ContainerState): Exited | undefined => {
  if (state.status === 'exited') return state;
  return 'last' in state ? state.last : undefined;
};

/** What each event makes of a state; undefined: not from there. */
const moves: { readonly [type in ContainerEvent['type']]: Move } = {
  started: (state, event) => {
    if (event.type !== 'started' || !['created', 'exited', 'restarting'].includes(state.status)) {
      return undefined;
    }
    const last = lastExit(state);
    const before = last && { lastFinishedAt: last.finishedAt };
    return { status: 'running', pid: event.pid, startedAt: event.at, paused: false, ...before };
  },
  startFailed: (state, event) => {
    if (event.type !== 'startFailed') return undefined;
    const last = lastExit(state);
    if (state.status === 'created') return { status: 'created', failure: event.failure };
    if (!last || !['exited', 'restarting'].includes(state.status)) return undefined;
    return { ...last, exitCode: event.failure.exitCode, finishedAt: event.at, error: event.failure.message };
  },
  exited: (state, event) =>
    event.type === 'exited' && state.status === 'running'
      ? {
          status: 'exited',
          exitCode: event.exitCode,
          startedAt: state.startedAt,
          finishedAt: event.at,
          oomKilled: event.oomKilled,
          ...(event.error !== undefined && { error: event.error }),
        }
      : undefined,
  paused: (state) => (isRunning(state) && !state.paused ? { ...state, paused: true } : undefined),
  resumed: (state) => (isRunning(state) && state.paused ? { ...state, paused: false } : undefined),
  restartPlanned: (state, event) =>
    event.type === 'restartPlanned' && state.status === 'exited'
      ? { status: 'restarting', last: state, restartAt: event.at }
      : undefined,
  restartCancelled: (state) => (state.status === 'restarting' ? state.last : undefined),
  removing: (state) =>
    ['created', 'exited', 'restarting', 'dead', 'removing'].includes(state.status)
      ? { status: 'removing', last: lastExit(state) }
      : undefined,
  removalFailed: (state) => (state.status === 'removing' ? { status: 'dead', last: state.last } : undefined),
};

const isRunning = (state: ContainerState): state is Running => state.status === 'running';

/** The state after an event. Throws conflict for a move that the table does not have. */
export function transition(state: ContainerState, event: ContainerEvent): ContainerState {
  const next = moves[event.type](state, event);
  if (!next) throw conflict(`a container that is ${state.status} cannot take the event ${event.type}`);
  return next;
}
