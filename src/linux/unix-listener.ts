import { chmodSync, chownSync } from 'node:fs';
import { constants as os } from 'node:os';
import { bind, check, close, SystemError } from './libc.ts';
import { openPidfd } from './process.ts';
import { openUnixSocket, unixAddress } from './unix-address.ts';

const bindSocket = bind<(fd: number, address: Uint8Array, length: number) => number>(
  'int bind(int, const void *, unsigned int)',
);
const listen = bind<(fd: number, backlog: number) => number>('int listen(int, int)');
const syscall = bind<(number: number, ...rest: (string | number)[]) => number>('long syscall(long, ...)');

const SYS_PIDFD_GETFD = 438;

/**
 * A non-blocking, close-on-exec unix socket that listens at a path nobody has (at most 107 bytes). Nobody can connect
 * before it has its mode and group. Closing it leaves its file. Throws SystemError, EADDRINUSE among them.
 */
export function openUnixListener(
  path: string,
  options: { readonly mode: number; readonly gid?: number; readonly backlog?: number },
): number {
  const address = unixAddress(path, 'bind');
  const fd = openUnixSocket('stream');
  try {
    check(bindSocket(fd, address, address.length), 'bind', path);
    chmodSync(path, options.mode);
    if (options.gid !== undefined) chownSync(path, -1, options.gid);
    check(listen(fd, options.backlog ?? 511), 'listen', path);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * A copy, close-on-exec, of another process's descriptor: the same open file. Needs the right to trace that process
 * (pidfd_getfd(2), Linux 5.6). Throws SystemError.
 */
export function copyDescriptor(pid: number, fd: number): number {
  const process = openPidfd(pid);
  if (process === undefined) throw new SystemError('pidfd_open', os.errno.ESRCH, String(pid));
  try {
    const copy = syscall(SYS_PIDFD_GETFD, 'int', process, 'int', fd, 'unsigned int', 0);
    return check(copy, 'pidfd_getfd', `${pid} ${fd}`);
  } finally {
    close(process);
  }
}
