import { EngineError, type ErrorKind } from '#kernel';
import type { AttachOptions, ExecOptions, RunOptions, TaskExit, TaskInfo, TaskStatus } from '../runtime.ts';

/**
 * The private protocol between the daemon and the supervisor, on a unix socket. The first line of a connection is a
 * JSON object. `{"attach":…}`: answered by one line, then the connection carries a process's streams. Anything else:
 * a control connection, requests and replies one JSON object a line, matched by id; exits come unasked once subscribed.
 */
export const PROTOCOL_VERSION = 2;

/** Names one process: a container's main one, or an exec. */
export interface TaskName {
  readonly containerId: string;
  readonly execId?: string | undefined;
}

/** A task as it travels and as it lies on disk: bigints as decimal strings. */
export interface WireTask {
  readonly containerId: string;
  readonly execId?: string | undefined;
  readonly status: TaskStatus['status'];
  readonly pid: number;
  readonly startedAt: string;
  readonly exitedAt?: string;
  readonly exitCode?: number | undefined;
  readonly oomKilled?: boolean;
}

/** A kept socket. Its file is at `path`, or beside it under another name while no daemon is there. */
export interface WireListener {
  readonly path: string;
  readonly fd: number;
}

export interface Started {
  readonly pid: number;
  readonly startedAt: string;
}

/** Requests by name: what they take and what they answer. */
export interface Methods {
  hello: { params: { version: number }; result: { version: number; pid: number; generation: number } };
  run: { params: RunOptions; result: Started };
  exec: { params: ExecOptions; result: Started };
  kill: { params: TaskName & { signal: number }; result: null };
  resize: { params: TaskName & { rows: number; columns: number }; result: null };
  pause: { params: TaskName; result: null };
  resume: { params: TaskName; result: null };
  pids: { params: TaskName; result: number[] };
  list: { params: null; result: WireTask[] };
  delete: { params: TaskName; result: null };
  deleteExec: { params: TaskName; result: null };
  /** From now on this connection gets exits, those not yet acknowledged first. */
  subscribe: { params: null; result: null };
  acknowledge: { params: TaskName & { exitedAt: string }; result: null };
  upgrade: { params: { program: string; args: string[] }; result: null };
  /** A listening socket of the daemon, by the descriptor in its process `pid`, is to outlive the daemon. */
  keepListener: { params: { path: string; pid: number; fd: number }; result: null };
  /** The sockets kept, with the descriptors in the supervisor's process. */
  listeners: { params: null; result: WireListener[] };
  /** No daemon will want it again: it is closed and its file removed. */
  dropListener: { params: { path: string }; result: null };
  /** The daemon leaves for good: the supervisor ends if it has no tasks. */
  release: { params: null; result: null };
}

export type Method = keyof Methods;
export type Request = { [M in Method]: { id: number; method: M; params: Methods[M]['params'] } }[Method];
export type Reply =
  { id: number; result: unknown } | { id: number; error: { kind: ErrorKind; message: string } };
export interface ExitEvent {
  readonly exit: WireTask;
}
export interface AttachRequest {
  readonly attach: AttachOptions;
}

export const replyError = (error: { kind: ErrorKind; message: string }): EngineError =>
  new EngineError(error.kind, error.message);

export function toTaskInfo(task: WireTask): TaskInfo {
  const { containerId, execId, pid } = task;
  const startedAt = BigInt(task.startedAt);
  const state: TaskStatus =
    task.status === 'running'
      ? { status: 'running', pid, startedAt }
      : {
          status: 'exited',
          pid,
          startedAt,
          exitedAt: BigInt(task.exitedAt ?? 0),
          exitCode: task.exitCode,
        };
  return { containerId, execId, state };
}

export function toTaskExit(task: WireTask): TaskExit {
  const info = toTaskInfo(task);
  if (info.state.status !== 'exited') throw new EngineError('internal', 'a running task has no exit');
  return { ...info, state: info.state, oomKilled: task.oomKilled ?? false };
}

/** One key per task; ids hold no slash, so it is also a file name. */
export const taskKey = ({ containerId, execId }: TaskName): string =>
  execId === undefined ? containerId : `${containerId}.${execId}`;
