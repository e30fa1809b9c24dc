import { bind, lastErrno, SystemError } from './libc.ts';
import { constants } from 'node:os';

const WNOHANG = 1;
const waitpid = bind<(pid: number, status: Int32Array, options: number) => number>(
  'int waitpid(int, _Out_ int *, int)',
);

export interface ReapedChild {
  readonly pid: number;
  /** 0–255; 128 + n when signal n ended it. */
  readonly exitCode: number;
}

/**
 * Reaps one ended child, of any pid; undefined when none has ended. In a process that also uses
 * `child_process` this would take libuv's children: only the supervisor calls it.
 */
export function reapChild(): ReapedChild | undefined {
  const status = new Int32Array(1);
  const pid = waitpid(-1, status, WNOHANG);
  if (pid > 0) return { pid, exitCode: exitCodeOf(status[0] ?? 0) };
  const errno = lastErrno();
  if (pid === 0 || errno === constants.errno.ECHILD) return undefined;
  if (errno === constants.errno.EINTR) return reapChild();
  throw new SystemError('waitpid', errno);
}

/** The shell's view of a wait status. */
export function exitCodeOf(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}
