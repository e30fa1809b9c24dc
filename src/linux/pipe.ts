import { constants as os } from 'node:os';
import { bind, check, lastErrno, SystemError } from './libc.ts';
import { exitCodeOf } from './wait.ts';

const pipe2 = bind<(fds: Int32Array, flags: number) => number>('int pipe2(_Out_ int *, int)');
const fcntlSize =
  bind<(fd: number, command: number, type: string, size: number) => number>('int fcntl(int, int, ...)');
const waitpid = bind<(pid: number, status: Int32Array, options: number) => number>(
  'int waitpid(int, _Out_ int *, int)',
);
const oCloexec = 0o2000000;
const setPipeSize = 1031;

/** Both ends of a pipe, blocking and close-on-exec. The caller closes them. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/** pipe2(2). `size` in bytes is a wish: beyond the user's limit the pipe keeps its 64 KiB. */
export function openPipe(size?: number): Pipe {
  const fds = new Int32Array(2);
  check(pipe2(fds, oCloexec), 'pipe2');
  const [read = -1, write = -1] = fds;
  if (size !== undefined) fcntlSize(write, setPipeSize, 'int', size);
  return { read, write };
}

/** Blocks until one child of this process has ended and reaps it. For worker threads. Returns its exit code. */
export function waitForChild(pid: number): number {
  const status = new Int32Array(1);
  while (waitpid(pid, status, 0) < 0) {
    if (lastErrno() !== os.errno.EINTR) throw new SystemError('waitpid', lastErrno());
  }
  return exitCodeOf(status[0] ?? 0);
}
